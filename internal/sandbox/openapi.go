package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"flytt/mappings"
)

// openapiPath is where the sandbox describes itself, credentials or not.
const openapiPath = "/openapi.json"

// openapi answers GET on openapiPath.
func (x *exchange) openapi() error {
	if x.r.Method != http.MethodGet {
		return notAllowed([]method{{name: http.MethodGet}})
	}
	doc, err := x.box.document()
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, doc)
}

// object is a JSON object of the description.
type object map[string]any

// document renders the description of all resources, as OpenAPI 3.1.
func (s *Sandbox) document() ([]byte, error) {
	paths, schemas, tags := object{}, ownSchemas(), []object{}
	for _, t := range s.sorted() {
		if err := t.schemas(schemas); err != nil {
			return nil, err
		}
		t.paths(paths, &s.options)
		tags = append(tags, object{"name": t.resource.Name, "description": t.resource.DisplayTitle()})
	}
	schemes, names := s.security()
	doc := object{
		"openapi":  "3.1.0",
		"info":     object{"title": "flytt sandbox", "version": "1", "description": aboutAPI},
		"servers":  []object{{"url": "/"}},
		"security": []object{names},
		"tags":     tags,
		"paths":    paths,
		"components": object{
			"schemas":         schemas,
			"responses":       refusals(),
			"securitySchemes": schemes,
			"parameters":      object{"pk": pathParameter},
		},
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(doc)
	return out.Bytes(), err
}

const aboutAPI = `The API on this machine, as its resources' descriptors have it. Every request carries all seven credentials. ` +
	`Filters are field=value or field__operator=value; an exclamation mark at the end of the name negates: ` +
	`every row for which the filter does not hold, those without a value included. Filters given together hold together.`

// sorted returns the tables by path.
func (s *Sandbox) sorted() []*table {
	return slices.SortedFunc(maps.Values(s.tables), func(a, b *table) int { return strings.Compare(a.resource.Path, b.resource.Path) })
}

// security returns the schemes of the seven headers, and the demand for all.
func (s *Sandbox) security() (schemes, all object) {
	names := []string{"customer_id", "application_id", "service_id", "service_version_id", "client_ct", "client_object_id", "client_secret"}
	schemes, all = object{}, object{}
	for i, h := range s.headers {
		schemes[names[i]] = object{"type": "apiKey", "in": "header", "name": strings.ToUpper(h.name)}
		all[names[i]] = []string{}
	}
	return schemes, all
}

func reference(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

func schemaRef(name string) object { return reference("schemas", name) }

func arrayOf(item object) object { return object{"type": "array", "items": item} }

// content is a JSON body.
func content(schema object) object { return object{jsonType: object{"schema": schema}} }

// ownSchemas are those that belong to no resource.
func ownSchemas() object {
	messages := arrayOf(object{"type": "string"})
	return object{
		"faults": object{"type": "object", "additionalProperties": messages,
			"description": "What is wrong, by field or parameter; " + nonField + " has what belongs to none."},
		"detail":     object{"type": "object", "properties": object{"detail": object{"type": "string"}}, "required": []string{"detail"}},
		"slim":       object{"type": "object", "properties": object{"id": object{"type": "string", "format": "uuid"}}, "required": []string{"id"}},
		"statistics": object{"type": "object", "properties": object{"count": object{"type": "integer"}}, "required": []string{"count"}},
	}
}

// Suffixes of a resource's name, for schemas besides that of a new record.
const (
	answered = "-answer" // as it is answered, every field there
	changing = "-change" // as PATCH takes it, no field required
)

// schemas adds the schemas of the resource.
func (t *table) schemas(to object) error {
	raw, err := mappings.JSONSchema(t.resource)
	if err != nil {
		return err
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return fmt.Errorf("resource %s: schema: %w", t.resource.Name, err)
	}
	delete(parts, "$schema") // 2020-12 is what OpenAPI 3.1 means anyway
	change := object{}
	for name, part := range parts {
		if name != "required" && name != "allOf" {
			change[name] = part
		}
	}
	all := make([]string, len(t.fields))
	for i, f := range t.fields {
		all[i] = f.Name
	}
	name := t.resource.Name
	to[name], to[name+changing] = parts, change
	to[name+answered] = object{"$ref": "#/components/schemas/" + name + changing, "required": all}
	return nil
}

// paths adds the six operations of the resource.
func (t *table) paths(to object, o *Options) {
	name, path := t.resource.Name, t.resource.Path
	fresh, change, whole := schemaRef(name), schemaRef(name+changing), schemaRef(name+answered)
	item := object{"anyOf": []object{fresh, {"$ref": change["$ref"], "required": []string{"id"}}}}
	written, rows := o.Answers.bulkAnswer(whole)
	to[path] = object{"post": t.operation("create", "Create one", "201", whole, 400, 413, 415).with("requestBody", body(fresh)).locking(o.Locks)}
	to[path+"list/"] = object{
		"get": t.operation("list", "List", "200", object{"anyOf": []object{
			arrayOf(whole), arrayOf(schemaRef("slim")), schemaRef("statistics")}}, 400, 404).with("parameters", t.listParameters()).lines(),
		"post": t.operation("bulk_write", "Create many, or change those that have an id", written, rows, 413, 415).
			with("requestBody", body(arrayOf(item))).refusing("400", "badItems").locking(o.Locks),
	}
	to[path+"{pk}/"] = object{
		"parameters": []object{reference("parameters", "pk")},
		"get":        t.operation("get", "Get one", "200", whole, 404),
		"patch": t.operation("update", "Change the fields given", "200", o.Answers.patchAnswer(whole, change), 400, 404, 413, 415).
			with("requestBody", body(change)).locking(o.Locks),
		"delete": t.operation("delete", "Delete one", "204", nil, 404).locking(o.Locks),
	}
}

var pathParameter = object{"name": "pk", "in": "path", "required": true, "schema": object{"type": "string", "format": "uuid"}}

func body(schema object) object { return object{"required": true, "content": content(schema)} }

// operation describes one operation: its answer, nil for none, and how it can
// be refused besides for its credentials or its method.
func (t *table) operation(name, summary, status string, answer object, refusals ...int) object {
	success := object{"description": "Done."}
	if answer != nil {
		success["content"] = content(answer)
	}
	o := object{
		"operationId": t.resource.Name + "_" + name,
		"summary":     summary,
		"tags":        []string{t.resource.Name},
		"responses":   object{status: success},
	}
	for _, refused := range append([]int{401, 403, 405}, refusals...) {
		o.refusing(fmt.Sprint(refused), refusalNames[refused])
	}
	return o
}

// with sets a member.
func (o object) with(name string, value any) object {
	o[name] = value
	return o
}

// refusing adds a refusal to an operation.
func (o object) refusing(status, name string) object {
	o["responses"].(object)[status] = reference("responses", name)
	return o
}

// lines adds JSON lines to the answers of a list.
func (o object) lines() object {
	success := o["responses"].(object)["200"].(object)
	success["content"].(object)[jsonLines.contentType] = object{
		"schema": object{"type": "string", "description": "With _jsonl, one of the array's objects a line."}}
	return o
}

var refusalNames = map[int]string{400: "invalid", 401: "unauthenticated", 403: "forbidden", 404: "notFound", 405: "notAllowed", 413: "tooLarge", 415: "wrongType"}

// refusals are the answers other than success.
func refusals() object {
	faults, detail := schemaRef("faults"), schemaRef("detail")
	answer := func(description string, schema object) object {
		return object{"description": description, "content": content(schema)}
	}
	return object{
		"invalid":         answer("The record or the parameters are not valid, or the body is not JSON.", object{"anyOf": []object{faults, detail}}),
		"badItems":        answer("Items are not valid: a list aligned with them, an empty object for each good one. Or the body is no array.", object{"anyOf": []object{arrayOf(faults), faults, detail}}),
		"unauthenticated": answer("A credential is missing.", detail),
		"forbidden":       answer("A credential is wrong.", detail),
		"notFound":        answer("There is no such record.", detail),
		"notAllowed":      answer("The path has no such method.", detail),
		"tooLarge":        answer("The body, or the number of items, is too large.", detail),
		"wrongType":       answer("The body is not said to be JSON.", detail),
	}
}
