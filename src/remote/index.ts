/** Remote write and read: for now their configuration, checked and printed; nothing is sent yet. */
export {
  checkHeaders,
  type RemoteReadConfig,
  remoteReadConfig,
  type RemoteWriteConfig,
  remoteWriteConfig,
} from "./config.ts";
