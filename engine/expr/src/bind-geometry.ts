import { DataType, type FieldSchema } from '@elanus/model';
import { refuseOptions, requireCount } from './bind-call.ts';
import { type BindContext, type Bound, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { requireShape } from './geometry.ts';
import type { Condition, SpatialRelation } from './plan.ts';
import type { CallNode, Node } from './tree.ts';

const RELATIONS: ReadonlyMap<string, SpatialRelation> = new Map([
  ['st_equals', 'equals'],
  ['st_touches', 'touches'],
  ['st_overlaps', 'overlaps'],
  ['st_crosses', 'crosses'],
  ['st_contains', 'contains'],
  ['st_intersects', 'intersects'],
  ['st_within', 'within'],
]);

export function isGeometryCall(name: string): boolean {
  return RELATIONS.has(name) || name === 'st_dwithin' || name === 'st_isvalid';
}

/** `st_within(field, 'WKT')`, which asks of the field's shape, and its kin. */
export function bindGeometry(
  context: BindContext,
  node: CallNode,
  bindOperand: (operand: Node) => Bound,
  negated: boolean,
): Condition {
  refuseOptions(node);
  requireCount(context, node, node.name === 'st_dwithin' ? 3 : node.name === 'st_isvalid' ? 1 : 2);
  const field = geometryField(context, node.operands[0]!);
  if (node.name === 'st_isvalid') return { kind: 'geometry', field, test: { kind: 'validity' }, negated };
  const shape = shapeOf(node, bindOperand(node.operands[1]!), node.name === 'st_dwithin' ? 'point' : 'any');
  const relation = RELATIONS.get(node.name);
  if (relation !== undefined)
    return { kind: 'geometry', field, test: { kind: 'relation', relation, shape }, negated };
  const metresMax = distanceOf(context, node, bindOperand(node.operands[2]!));
  return { kind: 'geometry', field, test: { kind: 'distance', shape, metresMax }, negated };
}

function geometryField(context: BindContext, node: Node): FieldSchema {
  const field =
    node.kind === 'name' && node.steps.length === 0 && context.scope === null
      ? context.schema.fields.find(({ name }) => name === node.name)
      : undefined;
  if (field?.dataType === DataType.Geometry) {
    context.fieldIds.add(field.id);
    return field;
  }
  if (field === undefined && node.kind === 'name' && context.schema.dynamicField === null)
    throw new FilterError(`field ${node.name} not exist`);
  throw new FilterError(
    `spatial operation are only supported on geometry fields now, got: ${context.print(node)}`,
  );
}

function shapeOf(node: CallNode, bound: Bound, kind: 'any' | 'point'): string {
  if (bound.kind !== 'constant' || typeof bound.value !== 'string')
    throw new FilterError(`the shape of ${node.name} should be a WKT string`, phaseOf(bound));
  requireShape(bound.value, kind, bound.phase);
  return bound.value;
}

function distanceOf(context: BindContext, node: CallNode, bound: Bound): number {
  const value = bound.kind === 'constant' ? bound.value : undefined;
  if (typeof value !== 'bigint' && typeof value !== 'number')
    throw new FilterError(`the distance of ${node.name} should be a number`, phaseOf(bound));
  if (value >= 0) return Number(value);
  throw new FilterError(
    `distance parameter must be non-negative, got: ${context.print(node.operands[2]!)}`,
    phaseOf(bound),
  );
}
