package console

import (
	"reflect"
	"slices"
	"strings"

	"github.com/swaggest/jsonschema-go"
)

// schemas makes JSON schemas of Go types. What a type is made of goes into found, by name.
type schemas struct {
	reflector jsonschema.Reflector
	found     map[string]any
}

func newSchemas() *schemas {
	s := &schemas{found: map[string]any{}}
	s.reflector.DefaultOptions = []func(*jsonschema.ReflectContext){
		jsonschema.DefinitionsPrefix("#/components/schemas/"),
		jsonschema.RootRef,
		jsonschema.CollectDefinitions(func(name string, schema jsonschema.Schema) { s.found[name] = schema }),
		jsonschema.InterceptDefName(func(t reflect.Type, _ string) string { return schemaName(t) }),
		jsonschema.InterceptProp(required),
	}
	return s
}

// of is the schema of a type: a reference where the type has a name.
func (s *schemas) of(t reflect.Type) (jsonschema.Schema, error) {
	return s.reflector.Reflect(reflect.New(t).Elem().Interface())
}

// schemaName is a type's name without its package, and UserPage for api.Page[directory.User].
func schemaName(t reflect.Type) string {
	name, of, generic := strings.Cut(t.Name(), "[")
	if generic {
		of = strings.TrimSuffix(of, "]")
		of = of[strings.LastIndexAny(of, "./")+1:]
		name = of + name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// required adds to an object the fields that encoding/json always writes.
func required(p jsonschema.InterceptPropParams) error {
	if !p.Processed {
		return nil
	}
	tag := strings.Split(p.Field.Tag.Get("json"), ",")
	if slices.Contains(tag, "omitempty") || slices.Contains(tag, "omitzero") || slices.Contains(p.ParentSchema.Required, p.Name) {
		return nil
	}
	p.ParentSchema.Required = append(p.ParentSchema.Required, p.Name)
	return nil
}
