import { MODEL_SETTINGS_DEFAULT, Models } from '@elanus/functions';

/** The models of a server that was told of none. */
export function modelsFixture(): Models {
  return new Models({
    settings: MODEL_SETTINGS_DEFAULT,
    client: { post: ({ url }) => Promise.reject(new Error(`no model is asked here: ${url}`)) },
    clock: { nowMs: () => 0 },
  });
}
