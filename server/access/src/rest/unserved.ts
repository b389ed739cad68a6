import { serviceUnimplemented } from '@elanus/model';
import type { MethodName } from '@elanus/proto';
import { DONE, type Endpoints, endpoint } from './endpoint.ts';

/** Paths whose call is not served yet: each gives the refusal that the call gives over gRPC. */
const METHOD_BY_PATH: Readonly<Record<string, MethodName>> = {
  'users/list': 'ListCredUsers',
  'users/describe': 'SelectUser',
  'users/create': 'CreateCredential',
  'users/update_password': 'UpdateCredential',
  'users/drop': 'DeleteCredential',
  'users/grant_role': 'OperateUserRole',
  'users/revoke_role': 'OperateUserRole',
  'roles/list': 'SelectRole',
  'roles/describe': 'SelectGrant',
  'roles/create': 'CreateRole',
  'roles/alter': 'AlterRole',
  'roles/drop': 'DropRole',
  'roles/grant_privilege': 'OperatePrivilege',
  'roles/revoke_privilege': 'OperatePrivilege',
  'roles/grant_privilege_v2': 'OperatePrivilegeV2',
  'roles/revoke_privilege_v2': 'OperatePrivilegeV2',
  'privilege_groups/list': 'ListPrivilegeGroups',
  'privilege_groups/create': 'CreatePrivilegeGroup',
  'privilege_groups/drop': 'DropPrivilegeGroup',
  'privilege_groups/add_privileges_to_group': 'OperatePrivilegeGroup',
  'privilege_groups/remove_privileges_from_group': 'OperatePrivilegeGroup',
  'resource_groups/list': 'ListResourceGroups',
  'resource_groups/create': 'CreateResourceGroup',
  'resource_groups/alter': 'UpdateResourceGroups',
  'resource_groups/describe': 'DescribeResourceGroup',
  'resource_groups/drop': 'DropResourceGroup',
  'resource_groups/transfer_replica': 'TransferReplica',
  'snapshots/create': 'CreateSnapshot',
  'snapshots/drop': 'DropSnapshot',
  'snapshots/list': 'ListSnapshots',
  'snapshots/describe': 'DescribeSnapshot',
  'snapshots/restore': 'RestoreSnapshot',
  'snapshots/pin': 'PinSnapshotData',
  'snapshots/unpin': 'UnpinSnapshotData',
  'jobs/snapshot/describe': 'GetRestoreSnapshotState',
  'jobs/snapshot/list': 'ListRestoreSnapshotJobs',
  'jobs/snapshot/restore_external': 'RestoreExternalSnapshot',
  'jobs/snapshot/export': 'ExportSnapshot',
  'jobs/external_collection/refresh': 'RefreshExternalCollection',
  'jobs/external_collection/describe': 'GetRefreshExternalCollectionProgress',
  'jobs/external_collection/list': 'ListRefreshExternalCollectionJobs',
};

/**
 * Paths whose call is between Milvus' own parts. A description of segments names the files of each, for backups that
 * copy them: an answer without files would be taken for a collection without rows.
 */
const INNER_CALL_BY_PATH: Readonly<Record<string, string>> = {
  'segments/describe': 'GetSegmentsInfo',
  'quotacenter/describe': 'GetQuotaMetrics',
  'jobs/snapshot/export/describe': 'GetExportSnapshotState',
};

export const unserved: Endpoints = {
  ...Object.fromEntries(
    Object.entries(METHOD_BY_PATH).map(([path, method]) => [
      path,
      endpoint({}, async (_, caller) => {
        await caller.ask(method, {} as never);
        return DONE;
      }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(INNER_CALL_BY_PATH).map(([path, method]) => [
      path,
      endpoint({}, async () => {
        throw serviceUnimplemented(method);
      }),
    ]),
  ),
};
