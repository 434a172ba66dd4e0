import type { Reply, RouteRequest, Router } from '../router.ts';
import type { World } from '../world.ts';

const MAX_UPLOAD_BYTES = 50 * 1024 * 1024;

/** Upload and download, with and without authentication. */
export function addMediaRoutes(router: Router, world: World): void {
  for (const path of ['/_matrix/media/v3/config', '/_matrix/client/v1/media/config']) {
    router.on('GET', path, () => ({ json: { 'm.upload.size': MAX_UPLOAD_BYTES } }));
  }
  router.on('POST', '/_matrix/media/v3/upload', (request) => ({
    json: {
      content_uri: world.media.put({
        bytes: request.raw,
        contentType: request.contentType || 'application/octet-stream',
        fileName: request.query.get('filename'),
      }),
    },
  }));
  const download = (request: RouteRequest): Reply => {
    const item = world.media.need(request.param('server'), request.param('id'));
    const named = item.fileName === null ? '' : `; filename="${encodeURIComponent(item.fileName)}"`;
    return {
      bytes: item.bytes,
      headers: { 'content-type': item.contentType, 'content-disposition': `inline${named}` },
    };
  };
  for (const action of ['download', 'thumbnail']) {
    router.on('GET', `/_matrix/client/v1/media/${action}/{server}/{id}`, download);
    router.on('GET', `/_matrix/client/v1/media/${action}/{server}/{id}/{name}`, download);
  }
}
