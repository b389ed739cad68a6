import { GRPC_STATUS, GrpcError } from './grpc-status.ts';

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;

/**
 * Milliseconds that `grpc-timeout` gives a call, whole and at least 1.
 * @throws GrpcError (INTERNAL) when it is not up to eight digits and a unit
 */
export function millisecondsOf(grpcTimeout: string): number {
  const [, digits, unit] = TIMEOUT.exec(grpcTimeout) ?? [];
  if (digits === undefined)
    throw new GrpcError(GRPC_STATUS.internal, `Invalid grpc-timeout value "${grpcTimeout}"`);
  return Math.max(1, Math.ceil(Number(digits) * MS_PER_UNIT[unit!]!));
}
