/** The few pictures there are, drawn in the colour of the text around them. */
function Icon({ children, size = 18 }: { children: React.ReactNode; size?: number }): React.JSX.Element {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const ChevronIcon = (): React.JSX.Element => (
  <Icon size={12}>
    <path d="M4 7l6 6 6-6" />
  </Icon>
);

export const MenuIcon = (): React.JSX.Element => (
  <Icon>
    <path d="M3 5h14M3 10h14M3 15h14" />
  </Icon>
);

export const KeyboardIcon = (): React.JSX.Element => (
  <Icon>
    <rect x="2" y="5" width="16" height="10" rx="2" />
    <path d="M5 8.5h.01M8.3 8.5h.01M11.7 8.5h.01M15 8.5h.01M6.5 12h7" />
  </Icon>
);

export const BellIcon = (): React.JSX.Element => (
  <Icon size={16}>
    <path d="M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.5 17.5h3" />
  </Icon>
);

export function SchemeIcon({ scheme }: { scheme: "light" | "dark" | "auto" }): React.JSX.Element {
  if (scheme === "dark") {
    return (
      <Icon>
        <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" />
      </Icon>
    );
  }
  if (scheme === "auto") {
    return (
      <Icon>
        <circle cx="10" cy="10" r="7" />
        <path d="M10 3v14a7 7 0 0 0 0-14z" fill="currentColor" />
      </Icon>
    );
  }
  return (
    <Icon>
      <circle cx="10" cy="10" r="3.5" />
      <path d="M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M16 4l-1.4 1.4M5.4 14.6L4 16" />
    </Icon>
  );
}
