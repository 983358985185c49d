import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";

const choices: readonly { readonly scheme: MantineColorScheme; readonly text: string; readonly icon: typeof IconSun }[] = [
  { scheme: "auto", text: "As the system", icon: IconDeviceDesktop },
  { scheme: "light", text: "Light", icon: IconSun },
  { scheme: "dark", text: "Dark", icon: IconMoon },
];

/** Light, dark, or what the system says. */
export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = choices.find(({ scheme }) => scheme === colorScheme)?.icon ?? IconSun;
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon size="lg" aria-label="Theme">
          <Icon size={18} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map(({ scheme, text, icon: ChoiceIcon }) => (
          <Menu.Item
            key={scheme}
            leftSection={<ChoiceIcon size={16} stroke={1.7} />}
            rightSection={scheme === colorScheme ? <IconCheck size={14} aria-label="chosen" /> : undefined}
            onClick={() => setColorScheme(scheme)}
          >
            {text}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
