import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { MilvusError } from '@elanus/model';
import { LoopShare, systemClock } from '@elanus/runtime';
import { runAtOnce } from '../../rows/sliced-work.ts';
import { TreeModels } from './tree-models.ts';

/** What XGBoost 3.2 saves of two trees over two features, deflated. */
const MODEL = [
  'eNrVls1uEzEQxzdp0xVpiwJ9AqAnJCSKVCFxoKkQnHpDPUXIcnZnt0abdbCdthBF9DXgxIVLeIjCG/EGZexkbW/qNOWChKVo',
  'E8+sPR//X+zxUTQbcQFUlCDG1USbKiVYf6RAjifV5HYGVI0EkJIOQPYeVfPRNQf1cRh06OSCpgxKRfqcS+Vt2BrwFAr7cz2h',
  'Stpfa1AmodWq7STkA1xU9naL615tyYWClLD0vGa3ad3P+0oAEBMBGVJBB3bne+VoYKaKAm3a7W1lauxV3+5oJ22TzvjMLt9h',
  'mCdVjJeElelQCZfJGotYgzXtOiYMVmbcuTTRxabSMpt4RhvnVp9KIGfA8hNdhtS6tLrfj4+7b7Ls8DyKujjR/e2VBqsMORcM',
  'wqXrODspsTphrx3Py3Xi6OblJPsEYa+tFDI6KhQpIFO93WOXSqPhuTVZ6gqzrX1JcsKKVEDpR9nSzdClvvKG3argUuJrtMyh',
  'XrVX0cMHh7++fI28YWFBPSyqrfUZl/V89ZaNynhX6LYsDa+p9R4KryOHBcP3eJkyrZ96iIe6mdjRUGO3Z2+i3lhS71orCgyH',
  'inlN01srfM1pU6LaT0BKRsu60n5iEN+i6OACnxezp13ZSLvO1qbGBpEDpNOB87RmnhPucVWDzojSGfdd5VBeKCCakVNIFBce',
  'tZPJampiDD261DnoJ+Z1ic8DfL58PP3xf9ITLzhqfhqr+YkrfnSHrxbGSo5iLVBdw4PpdLpMdSGe4hBPc1aat+AqrrjCz8ay',
  'sG/kK9ZMGSl3l0tgOWdxdMNYwdtiq5YRFxviIkdb9dEh/1vynt+OPHsorusrhDVtzE5ga92ZX0eCR3LbQCsT7gW30dt//WTv',
  'nT3Rze2CZIIPCD3F0zeHQJomj6SgUv59DdrmyKciB+UnaJfm/feYPTuFcTjjjoD8hfwwQuWnIAQXTtOQE4NTPeuOTGiBfeRy',
  '/n8VrmuM2UqUsn/HWGN4iZj8AWC7F90=',
];
const modelBytes = () => new Uint8Array(inflateSync(Buffer.from(MODEL.join(''), 'base64')));
const ROWS = [
  [0, 1],
  [2.5, 5],
  [Number.NaN, 5],
  [9, 0],
] as const;
/** What XGBoost 3.2 predicts of them. */
const PREDICTED = [1, 4, 2.6666667461395264, 16.16666603088379];

describe('models of trees', () => {
  let resources: { id: bigint; name: string; path: string }[];
  let contents: Map<string, Uint8Array>;
  let opened: string[];
  let models: TreeModels;
  beforeEach(() => {
    resources = [{ id: 1n, name: 'ranker', path: 'models/ranker.ubj' }];
    contents = new Map([['models/ranker.ubj', modelBytes()]]);
    opened = [];
    const open = async (path: string) => {
      opened.push(path);
      const bytes = contents.get(path);
      if (bytes === undefined) throw new MilvusError('no such file', { code: 2100 });
      const read = async (from: number, to: number) => bytes.subarray(from, to);
      return { size: bytes.length, read, close: async () => {} };
    };
    const root = { listFileResources: async () => resources };
    const dependencies = { root, files: { open }, share: new LoopShare(systemClock) };
    models = new TreeModels(dependencies as unknown as ConstructorParameters<typeof TreeModels>[0]);
  });

  it('are those that XGBoost has saved, and are read once', async () => {
    const [model] = await Promise.all([models.get('ranker'), models.get('ranker')]);
    assert.equal(await models.get('ranker'), model);
    assert.deepEqual(opened, ['models/ranker.ubj']);
    const columns = [0, 1].map((feature) => Float32Array.from(ROWS, (row) => row[feature]!));
    assert.deepEqual(Array.from(runAtOnce(model!.predict(columns, ROWS.length, 'default'))), PREDICTED);
  });

  it('are read anew when their name stands for another file', async () => {
    const before = await models.get('ranker');
    contents.set('models/newer.UBJ', modelBytes());
    resources = [{ id: 2n, name: 'ranker', path: 'models/newer.UBJ' }];
    assert.notEqual(await models.get('ranker'), before);
  });

  it('are not taken from other files, nor from none', async () => {
    resources.push({ id: 3n, name: 'words', path: 'words.txt' }, { id: 4n, name: 'lost', path: 'lost.ubj' });
    for (const name of ['nobody', 'words'])
      await assert.rejects(models.get(name), {
        message: /^xgboost: file resource "\w+" not found/,
        code: 1100,
      });
    await assert.rejects(models.get('lost'), { code: 2100 });
  });

  it('may be mended: what could not be read is read again', async () => {
    contents.set('models/ranker.ubj', modelBytes().subarray(0, 100));
    await assert.rejects(models.get('ranker'), { code: 1100, message: /failed to parse UBJ model/ });
    contents.set('models/ranker.ubj', modelBytes());
    assert.equal((await models.get('ranker')).features, 2);
  });

  it('are kept as long as they are used, a few of them', async () => {
    for (let n = 2; n <= 9; n += 1) {
      resources.push({ id: BigInt(n), name: `r${n}`, path: `${n}.ubj` });
      contents.set(`${n}.ubj`, modelBytes());
    }
    await models.get('ranker');
    for (let n = 2; n <= 8; n += 1) await models.get(`r${n}`);
    await models.get('ranker');
    await models.get('r9');
    opened = [];
    await models.get('ranker');
    assert.deepEqual(opened, []);
    await models.get('r2');
    assert.deepEqual(opened, ['2.ubj']);
  });
});
