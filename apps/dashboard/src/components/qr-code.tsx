import makeQrCode from "qrcode-generator";
import { useMemo } from "react";
import classes from "./qr-code.module.css";

export interface QrCodeProps {
  readonly text: string;
  readonly label: string;
}

/** A text as a QR code, drawn here: no picture is fetched for it. */
export function QrCode({ text, label }: QrCodeProps) {
  const { path, size } = useMemo(() => {
    const code = makeQrCode(0, "M");
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    let drawn = "";
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < count; column++) if (code.isDark(row, column)) drawn += `M${column} ${row}h1v1h-1z`;
    }
    return { path: drawn, size: count };
  }, [text]);
  return (
    <svg className={classes["code"]} viewBox={`-2 -2 ${size + 4} ${size + 4}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={path} fill="#000" />
    </svg>
  );
}
