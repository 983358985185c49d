import { expect, it } from "vitest";
import { checkNewPassword } from "./check-new-password.js";

const person = { email: "ada.lovelace@example.org", name: "Ada Lovelace" };
const refuses = (password: string): boolean => {
  try {
    checkNewPassword(password, person);
    return false;
  } catch {
    return true;
  }
};

it("passwords that are guessed first are refused", () => {
  const weak = [
    "short",
    "elevenchars",
    "password1234",
    "Passwort123!!",
    "123456789012",
    "abcdefghijklmn",
    "zyxwvutsrqponm",
    "aaaaaaaaaaaa",
  ];
  const own = ["adalovelace1", "ada.lovelace@example.org", "lovelace12345", "passwordpassword", "2024welcome2024", "abababababab"];
  expect([...weak, ...own].filter((password) => !refuses(password))).toEqual([]);
});

it("long ones are taken, whatever they are made of", () => {
  const fine = [
    "correct horse battery",
    "tR4!mvq9-Lk2x",
    "ein langer Satz mit Umläuten äöü",
    "мой длинный пароль",
    "🧬🫀🧠🩺🏥💉🔬🧪🩻💊🦠🧫",
    "lovelace wrote the first program",
  ];
  expect(fine.filter(refuses)).toEqual([]);
});
