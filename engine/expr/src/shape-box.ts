import { readShape } from './geometry.ts';

/** The smallest box around a shape, in the units of its coordinates. */
export interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** The box around the shape of a WKT text; `undefined` for a text that is none, and for an empty shape. */
export function boxAround(text: string): Box | undefined {
  const shape = readShape(text);
  if (shape === undefined || shape.isEmpty()) return undefined;
  const envelope = shape.getEnvelopeInternal();
  return {
    west: envelope.getMinX(),
    south: envelope.getMinY(),
    east: envelope.getMaxX(),
    north: envelope.getMaxY(),
  };
}
