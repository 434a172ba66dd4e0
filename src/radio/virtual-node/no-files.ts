import type { FileTransferControl } from '../codec/device-frames.ts';

/** What firmware says that has no such file and no transfer under way (XModemAdapter::handlePacket). */
const ANSWERS: Readonly<Partial<Record<FileTransferControl, FileTransferControl>>> = {
  SOH: 'NAK',
  STX: 'NAK',
  EOT: 'ACK',
  CAN: 'ACK',
  ACK: 'CAN',
  NAK: 'CAN',
};

/** Files of the radio are not served: a client that asks for one is told so at once, instead of waiting. */
export function answerWithoutFiles(control: FileTransferControl): FileTransferControl | null {
  return ANSWERS[control] ?? null;
}
