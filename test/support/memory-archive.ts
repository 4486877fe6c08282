import type { ArchiveObject, ArchiveReads, UsageArchive } from '../../core/usage/ports.ts';

/** The archive as a map: what the S3 adapter promises, for tests of archiving and restoring. */
export function memoryArchive(): UsageArchive & ArchiveReads & { readonly objects: Map<string, ArchiveObject> } {
  const objects = new Map<string, ArchiveObject>();
  const nameOf = ({ project, partition }: ArchiveObject['place']) => `${project}/${partition}`;
  return {
    objects,
    async putOnce(object) {
      const there = objects.get(nameOf(object.place));
      if (there !== undefined) return { sha256: there.sha256 };
      objects.set(nameOf(object.place), object);
      return 'stored';
    },
    async *list(project) {
      yield [...objects.values()].filter(({ place }) => place.project === project).map(({ place }) => place.partition);
    },
    chunksOf: async (place) => objects.get(nameOf(place))?.chunks ?? 0,
    read: async (place) => objects.get(nameOf(place)) ?? null,
  };
}
