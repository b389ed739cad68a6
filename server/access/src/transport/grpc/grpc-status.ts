/** What gRPC itself can say of a call (the codes of its specification that a server of ours gives). */
export const GRPC_STATUS = {
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** A call that ends with a status of gRPC instead of an answer. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus, message: string) {
    super(message);
    this.status = status;
  }
}

const NOT_PLAIN = /[^ -$&-~]/gu;

/** As `grpc-message` carries it: printable ASCII, all else percent-encoded UTF-8; lone surrogates become U+FFFD. */
export function encodedGrpcMessage(text: string): string {
  return text.toWellFormed().replace(NOT_PLAIN, (character) => {
    const hex = Buffer.from(character).toString('hex').toUpperCase();
    return hex.replaceAll(/../g, '%$&');
  });
}
