package sandbox

import (
	"net/http"
	"strconv"
)

// bulkAnswer describes what a bulk write answers when it is not refused, whole
// being the schema of a record.
func (a *Answers) bulkAnswer(whole object) (status string, schema object) {
	row := whole
	if a.Bulk == RowIDs {
		row = schemaRef("slim")
	}
	switch a.Items {
	case MultiStatus:
		return strconv.Itoa(http.StatusMultiStatus), arrayOf(members(object{"status": integerSchema, "data": row, "error": schemaRef("faults"), "index": integerSchema}))
	case MixedArray:
		return "200", arrayOf(object{"anyOf": []object{row, members(object{"errors": schemaRef("faults"), "index": integerSchema})}})
	case ItemList:
		item := members(object{"id": textSchema, "data": row, "error": schemaRef("faults"), "status": integerSchema, "index": integerSchema})
		return "200", members(object{"errors": booleanSchema, "items": arrayOf(item)})
	case SuccessFlag:
		fault := members(object{"index": integerSchema, "field": textSchema, "message": textSchema})
		return "200", members(object{"success": booleanSchema, "data": arrayOf(row), "errors": arrayOf(fault)})
	}
	return "201", arrayOf(row)
}

// patchAnswer describes what an update answers, whole being the schema of a
// record and change that of some of its fields.
func (a *Answers) patchAnswer(whole, change object) object {
	switch a.Patch {
	case IDOnly:
		return schemaRef("slim")
	case ChangedOnly:
		return object{"$ref": change["$ref"], "required": []string{"id"}}
	}
	return whole
}

var (
	textSchema    = object{"type": "string"}
	integerSchema = object{"type": "integer"}
	booleanSchema = object{"type": "boolean"}
)

// members describes an object by its members' schemas.
func members(properties object) object {
	return object{"type": "object", "properties": properties}
}

// locking adds to a write how locks refuse it. A 400 is described anyway.
func (o object) locking(l Locks) object {
	if l.Conflicts == Conflict409 {
		o["responses"].(object)[l.Conflicts.String()] = object{
			"description": "Another write of the resource is under way.", "content": content(schemaRef("detail"))}
	}
	return o
}
