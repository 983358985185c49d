import { PasswordInput, type PasswordInputProps } from "@mantine/core";

/** The field for a new password, with what it must be. */
export function NewPasswordInput(props: PasswordInputProps) {
  return (
    <PasswordInput
      description="At least 12 characters. A few words that only you would put together are good."
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
      {...props}
    />
  );
}
