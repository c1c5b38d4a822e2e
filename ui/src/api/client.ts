import { keepPreviousData, QueryClient } from "@tanstack/react-query";

/** The cache of everything that was asked, one for the page. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // "online" would wait for a network although the server may well be this very machine.
      networkMode: "always",
      retry: false,
      staleTime: 1000,
      // A new answer replaces the old one in place: nothing jumps while it loads.
      placeholderData: keepPreviousData,
    },
    mutations: { networkMode: "always" },
  },
});
