import { store } from "../base/store.ts";

/** The time under the pointer in seconds, common to all charts of the home page. */
export const hoverTime = store<number | null>(null);
