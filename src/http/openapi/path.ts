/** A route's path as documentation and logs write it: /api/v1/runs/{event_id}. */
export const documented = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');
