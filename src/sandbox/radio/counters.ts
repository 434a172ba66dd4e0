/** What happened inside a virtual radio since it was made; one per radio. */
export interface RadioCounters {
  /** Packets a client gave that went on into the mesh layer. */
  accepted: number;
  rateLimited: number;
  /** Packets ignored because their id was among the last 20 of the connection. */
  repeated: number;
  /** ToRadio frames that did not decode, or whose payload exceeds 233 bytes. */
  malformed: number;
  /** Refused by a full transmit queue. */
  queueFull: number;
  /** First transmissions, and transmissions of the same packet again. */
  transmitted: number;
  retransmitted: number;
  /** Packets for the client: pushed out by a text, not taken in, lost by a reboot, cut in mid-frame. */
  evicted: number;
  dropped: number;
  reboot: number;
  cut: number;
  /** Packets whose frame was written to a client as a whole. */
  handedOver: number;
  connections: number;
  /** Connections closed because another client came, or because the client was silent for 15 minutes. */
  kicked: number;
  idleClosed: number;
}

/** All at zero. */
export function newCounters(): RadioCounters {
  return {
    accepted: 0,
    rateLimited: 0,
    repeated: 0,
    malformed: 0,
    queueFull: 0,
    transmitted: 0,
    retransmitted: 0,
    evicted: 0,
    dropped: 0,
    reboot: 0,
    cut: 0,
    handedOver: 0,
    connections: 0,
    kicked: 0,
    idleClosed: 0,
  };
}
