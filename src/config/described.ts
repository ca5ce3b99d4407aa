import { z } from 'zod';

/** A piece of a JSON Schema. */
export type Described = z.core.JSONSchema.BaseSchema;

/** What may be written, as JSON Schema (draft 7): before defaults and units. */
export const described = (schema: z.ZodType): Described =>
  z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => void Object.assign(jsonSchema, written(zodSchema)),
  });

/** Example and default as the schema gives them: the library leaves them out where a value is transformed. */
function written(schema: z.core.$ZodType): object {
  const wraps = schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault;
  const { examples, default: fallback } = z.globalRegistry.get(schema) ?? {};
  return {
    ...(wraps ? written(schema.unwrap()) : {}),
    ...(examples === undefined ? {} : { examples }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

const isSchema = (value: unknown): value is Described =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The keys of a mapping; none for anything else. */
export const propertiesOf = ({ properties }: Described): Readonly<Record<string, Described>> =>
  Object.fromEntries(
    Object.entries(properties ?? {}).flatMap(([key, value]) => (isSchema(value) ? [[key, value]] : [])),
  );

/** What each entry of a list is; undefined for anything else. */
export const itemsOf = ({ items }: Described): Described | undefined => (isSchema(items) ? items : undefined);
