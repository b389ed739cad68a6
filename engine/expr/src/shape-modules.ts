/** The modules of `jsts` that filters use, by the names that `tools/bundle-shapes.ts` gives them in its one file. */
export const SHAPE_MODULES = {
  reader: 'jsts/org/locationtech/jts/io/WKTReader.js',
  relate: 'jsts/org/locationtech/jts/operation/relate/RelateOp.js',
  distance: 'jsts/org/locationtech/jts/operation/distance/DistanceOp.js',
  validity: 'jsts/org/locationtech/jts/operation/valid/IsValidOp.js',
} as const;
