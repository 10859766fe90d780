declare module 'bindings' {
  /** Where the addon is that was built last in the package at `module_root`; throws where there is none. */
  export default function bindings(options: { bindings: string; module_root: string; path: true }): string;
}
