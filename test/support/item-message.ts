/** The message grammar, as it matches all 139 real messages known. Source: vb365-rest.md 6.4. */
export const itemMessage =
  /^Item (?<name>.*) was (?<verb>[a-z]+) (?:successfully|with (?<sev>warning|error)s?: (?<reason>.*?)) ?\(type: (?<type>[^;]*); source: (?<source>.*?); target: (?<target>.*?)\)$/s;
