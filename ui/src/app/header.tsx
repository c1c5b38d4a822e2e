import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import { Link, useLocation } from "wouter";
import { useHasAlertmanager } from "../alertmanager/presence.tsx";
import { useApi } from "../api/use-api.ts";
import type { Notification } from "../api/types.ts";
import { agentMode, basePath, pageTitle } from "../base/page-globals.ts";
import { zoneSetting } from "../base/settings.ts";
import { zoneName } from "../base/time.ts";
import { Time } from "../parts/time.tsx";
import { BellIcon, ChevronIcon, KeyboardIcon, MenuIcon, SchemeIcon } from "./icons.tsx";
import { titleOf } from "./pages.tsx";
import { openShortcuts } from "./shortcuts.tsx";

const mainPaths = agentMode ? ["/targets"] : ["/", "/query", "/alerts", "/targets"];

const statusPaths = [
  ...(agentMode ? [] : ["/rules"]),
  "/service-discovery",
  "/status",
  ...(agentMode ? [] : ["/tsdb-status"]),
  "/flags",
  "/config",
  ...(agentMode ? [] : ["/alertmanager-discovery"]),
];

const alertmanagerPaths = ["/alertmanager/alerts", "/alertmanager/silences"];

export function Header(): React.JSX.Element {
  const hasAlertmanager = useHasAlertmanager();
  return (
    <header className="header">
      <Link href="/" className="brand" title={`${pageTitle}: home`}>
        <img src={`${basePath}/favicon.svg`} alt="" width="20" height="20" />
        {pageTitle}
      </Link>
      <nav className="nav" aria-label="Pages">
        {mainPaths.map((path) => (
          <NavLink key={path} path={path} />
        ))}
        {hasAlertmanager && <NavMenu title="Alertmanager" paths={alertmanagerPaths} />}
        <NavMenu title="Status" paths={statusPaths} />
      </nav>
      <SmallNav paths={[...mainPaths, ...(hasAlertmanager ? alertmanagerPaths : []), ...statusPaths]} />
      <span className="grow" />
      <Notifications />
      <ZoneButton />
      <SchemeButton />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={openShortcuts}
      >
        <KeyboardIcon />
      </ActionIcon>
    </header>
  );
}

function NavLink({ path }: { path: string }): React.JSX.Element {
  const [current] = useLocation();
  return (
    <Link href={path} className="nav-item" aria-current={current === path ? "page" : undefined}>
      {titleOf(path)}
    </Link>
  );
}

function NavMenu({ title, paths }: { title: string; paths: readonly string[] }): React.JSX.Element {
  const [current] = useLocation();
  const isHere = paths.includes(current);
  return (
    <Menu position="bottom-start" offset={4} shadow="sm" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <button type="button" className="nav-item" aria-current={isHere ? "page" : undefined}>
          {title}
          {isHere && <span className="nav-here">{titleOf(current)}</span>}
          <ChevronIcon />
        </button>
      </Menu.Target>
      <MenuLinks paths={paths} />
    </Menu>
  );
}

/** Everything in one menu, where the window is narrow. */
function SmallNav({ paths }: { paths: readonly string[] }): React.JSX.Element {
  return (
    <Menu position="bottom-start" offset={4} shadow="sm" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon className="small-nav" variant="subtle" color="gray" aria-label="Pages">
          <MenuIcon />
        </ActionIcon>
      </Menu.Target>
      <MenuLinks paths={paths} />
    </Menu>
  );
}

function MenuLinks({ paths }: { paths: readonly string[] }): React.JSX.Element {
  const [current] = useLocation();
  return (
    <Menu.Dropdown>
      {paths.map((path) => (
        <Menu.Item
          key={path}
          component={Link}
          href={path}
          className={current === path ? "menu-here" : undefined}
        >
          {titleOf(path)}
        </Menu.Item>
      ))}
    </Menu.Dropdown>
  );
}

const notificationsPollMs = 10_000;

/** What the server wants known, such as a configuration that could not be loaded. */
function Notifications(): React.JSX.Element | null {
  const { data } = useApi<Notification[]>("/notifications", undefined, { refreshMs: notificationsPollMs });
  const active = (data?.data ?? []).filter((each) => each.active);
  if (active.length === 0) return null;
  return (
    <Menu position="bottom-end" shadow="sm" width={360} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <ActionIcon variant="light" color="red" aria-label={`${active.length} notifications`} w={44}>
          <BellIcon />
          <span className="num" style={{ marginLeft: 4, fontSize: 12 }}>
            {active.length}
          </span>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {active.map((each) => (
          <div key={each.date + each.text} style={{ padding: "6px 10px" }}>
            <div>{each.text}</div>
            <div className="dim">
              <Time at={each.date} />
            </div>
          </div>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function ZoneButton(): React.JSX.Element {
  const zone = zoneSetting.use();
  const other = zone === "utc" ? "local" : "utc";
  return (
    <button
      type="button"
      className="nav-item zone"
      title={zone === "utc" ? "Times are in UTC; click for local time" : "Times are local; click for UTC"}
      onClick={() => zoneSetting.set(other)}
    >
      {zone === "utc" ? "UTC" : `Local ${zoneName("local")}`}
    </button>
  );
}

const schemeOrder = { light: "dark", dark: "auto", auto: "light" } as const;

function SchemeButton(): React.JSX.Element {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = schemeOrder[colorScheme];
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={`Theme: ${colorScheme}. Change to ${next}`}
      title={`Theme: ${colorScheme === "auto" ? "as the system" : colorScheme} (click for ${next})`}
      onClick={() => setColorScheme(next)}
    >
      <SchemeIcon scheme={colorScheme} />
    </ActionIcon>
  );
}
