import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import { type ByteSource, FormatError, SourceError } from '../byte-source.ts';
import type { Cells, CellValue, ColumnBatch, ColumnReader, FileColumn, NumberMemory } from '../columns.ts';
import type { LeafPage } from './leaf-page.ts';
import { leafPages } from './leaf-pages.ts';
import { FlatRows, isNumberList, type LeafRows, NestedRows, NumberListRows } from './leaf-rows.ts';
import { PageMemory } from './page-memory.ts';

/** A footer above this is refused: it is read whole. */
const FOOTER_BYTES_MAX = 64 * 1024 * 1024;

type MemoryOf = (column: string) => NumberMemory | null;

/** One leaf of the row group that is read. */
interface OpenLeaf {
  readonly path: readonly string[];
  readonly pages: AsyncGenerator<LeafPage>;
  readonly rows: LeafRows;
}

/** The rows of a Parquet file, row group by row group, page by page. */
export class ParquetRows implements ColumnReader {
  readonly rows: number;
  readonly names: readonly string[];
  readonly #source: ByteSource;
  readonly #metadata: FileMetaData;
  readonly #schema: SchemaTree;
  readonly #memoryOf: MemoryOf;
  readonly #pages = new PageMemory();
  #nextGroup = 0;
  #leaves: readonly OpenLeaf[] = [];
  #left = 0;

  private constructor(source: ByteSource, metadata: FileMetaData, memoryOf: MemoryOf) {
    this.#source = source;
    this.#memoryOf = memoryOf;
    this.#metadata = metadata;
    this.#schema = parquetSchema(metadata);
    this.names = this.#schema.children.map(({ element }) => element.name);
    this.rows = metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  }

  /**
   * Lists of float32 in the column `name` are put into `memoryOf(name)`, should there be one: then whoever takes a batch owns it.
   * @throws FormatError
   */
  static async open(
    source: ByteSource,
    { memoryOf = noMemory }: { readonly memoryOf?: MemoryOf } = {},
  ): Promise<ParquetRows> {
    if (source.size < 12) throw new FormatError('the file is no Parquet file');
    const tail = await source.read(source.size - 8, 8);
    const footerBytes = new DataView(tail.buffer, tail.byteOffset, 8).getUint32(0, true);
    if (footerBytes > FOOTER_BYTES_MAX) throw new FormatError(`the footer has ${footerBytes} bytes`);
    return await told(async () => {
      const metadata = await parquetMetadataAsync(
        {
          byteLength: source.size,
          slice: async (from, to = source.size) =>
            Uint8Array.from(await source.read(from, to - from)).buffer as ArrayBuffer,
        },
        { geoparquet: false, initialFetchSize: Math.min(source.size, footerBytes + 8) },
      );
      return new ParquetRows(source, metadata, memoryOf);
    });
  }

  async skip(rows: number): Promise<void> {
    let left = rows;
    for (
      let group = this.#metadata.row_groups[0];
      group !== undefined;
      group = this.#metadata.row_groups[this.#nextGroup]
    ) {
      if (Number(group.num_rows) > left) break;
      left -= Number(group.num_rows);
      this.#nextGroup += 1;
    }
    while (left > 0) {
      const batch = await this.next(Math.min(left, 4_096));
      if (batch === null) return;
      left -= batch.rows;
    }
  }

  async next(rowsMax: number): Promise<ColumnBatch | null> {
    return await told(async () => {
      while (this.#left === 0) {
        const group = this.#metadata.row_groups[this.#nextGroup];
        if (group === undefined) return null;
        this.#nextGroup += 1;
        this.#open(group);
      }
      const rows = Math.min(rowsMax, this.#left);
      const taken = new Map<string, FileColumn>();
      for (const leaf of this.#leaves) {
        await fill(leaf, rows, this.#left);
        taken.set(leaf.path.join('\0'), leaf.rows.take(rows));
      }
      this.#left -= rows;
      return {
        rows,
        columns: new Map(this.#schema.children.map((node) => [node.element.name, columnOf(node, taken)])),
      };
    });
  }

  #open(group: RowGroup): void {
    this.#left = Number(group.num_rows);
    this.#leaves = group.columns.map(({ meta_data }) => {
      if (meta_data === undefined) throw new FormatError('a column lies in another file');
      const path = getTreePath(this.#schema, meta_data.path_in_schema);
      return {
        path: meta_data.path_in_schema,
        pages: leafPages(this.#source, meta_data, { schemaPath: path, memory: this.#pages }),
        rows: rowsOf(path, this.#memoryOf),
      };
    });
  }
}

function noMemory(): null {
  return null;
}

function rowsOf(path: SchemaTree[], memoryOf: MemoryOf): LeafRows {
  if (isNumberList(path)) return new NumberListRows(path, memoryOf(path[1]!.element.name));
  // The root and the leaf.
  const isFlat = path.length === 2 && path[1]!.element.repetition_type !== 'REPEATED';
  return isFlat ? new FlatRows() : new NestedRows(path);
}

async function fill({ pages, rows: own, path }: OpenLeaf, wanted: number, left: number): Promise<void> {
  while (own.rows < wanted) {
    const page = await pages.next();
    if (!page.done) {
      own.add(page.value);
      if (own.rows > left)
        throw new FormatError(`the column ${path.join('.')} has more rows than its row group`);
      continue;
    }
    own.end();
    if (own.rows < wanted)
      throw new FormatError(`the column ${path.join('.')} ends before its row group does`);
  }
}

/** A column of the file's top level, of its leaves. */
function columnOf(node: SchemaTree, taken: ReadonlyMap<string, FileColumn>): FileColumn {
  const own = [...taken].filter(([path]) => path.split('\0')[0] === node.element.name);
  const [first] = own;
  if (first === undefined) throw new FormatError(`the column ${node.element.name} has no data`);
  if (own.length === 1 && (node.children.length === 0 || first[1].kind === 'lists')) return first[1];
  const data = new Map<string, CellValue[]>(
    own.map(([path, column]) => [path.replaceAll('\0', '.'), [...cellsOf(column).values]]),
  );
  assembleNested(data as never, node, DEFAULT_PARSERS);
  const values = data.get(node.path.join('.'));
  if (values === undefined)
    throw new FormatError(`the column ${node.element.name} has a shape that is not taken`);
  return { kind: 'cells', values };
}

/** Lists as hyparquet would have made them: an array around each for what repeats, and one for what may be missing. */
function cellsOf(column: FileColumn): Cells {
  if (column.kind === 'cells') return column;
  throw new FormatError('a list of numbers within something else');
}

/** What a damaged file makes the library throw is the file's fault. */
async function told<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError || error instanceof SourceError || !(error instanceof Error))
      throw error;
    throw new FormatError(`the file cannot be read: ${error.message}`, { cause: error });
  }
}
