declare module 'bindings' {
  /** With `path`: the path of the first of the places to `try` that holds a built addon. */
  export default function bindings(options: {
    bindings: string;
    module_root: string;
    path: true;
    try: readonly (readonly string[])[];
  }): string;
}
