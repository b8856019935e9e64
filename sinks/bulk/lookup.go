package bulk

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// lookup finds the records that rows are about, and compares the rows with them.
type lookup struct {
	engine  *engine
	actions actions
	rows    *chunkRows
	matcher *matcher

	todo []change // records to be changed
}

// settle settles those of rows that are about records which exist. It returns
// the others, which are to be created.
func (lk *lookup) settle(ctx context.Context, rows []int32) ([]int32, error) {
	s := lk.engine
	if !s.changesRecords {
		return lk.skipExisting(ctx, rows)
	}
	var byID, byKey, create []int32
	for _, row := range rows {
		switch {
		case len(lk.rows.id(row)) > 0:
			byID = append(byID, row)
		case s.options.Mode == ByID:
			create = append(create, row)
		default:
			byKey = append(byKey, row)
		}
	}
	absent, err := lk.byID(ctx, byID)
	if err != nil {
		return nil, err
	}
	absent = lk.rows.withoutErrors(absent)
	if s.options.Mode != Upsert {
		lk.rows.noteAll(absent, s.field(idField), codeNotFound)
	} else {
		byKey = append(byKey, absent...)
	}
	if absent, err = lk.byKey(ctx, byKey); err != nil {
		return nil, err
	}
	create, err = lk.skipExisting(ctx, create)
	return append(create, absent...), err
}

// byID settles rows, which have ids, and returns those whose record is not
// there.
func (lk *lookup) byID(ctx context.Context, rows []int32) (absent []int32, err error) {
	var asked []int32
	var ids []string
	for _, row := range rows {
		id := lk.rows.id(row)
		if !lk.engine.claims.Take(idClaim, id) {
			lk.rows.note(row, lk.engine.field(idField), codeDuplicateInFile, "")
			continue
		}
		asked, ids = append(asked, row), append(ids, string(id))
	}
	found, err := lk.engine.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, row := range asked {
		record, err := lk.engine.recordWith(ctx, ids[i], found)
		if err == nil && record != nil {
			err = lk.compare(row, ids[i], record)
		}
		if err != nil {
			return nil, err
		}
		if record == nil {
			absent = append(absent, row)
		}
	}
	return absent, lk.actions.changeRecords(ctx, lk.takeChanges())
}

// byKey settles rows by the records that have their keys. It returns those
// to be created: in mode Upsert those whose key no record has.
func (lk *lookup) byKey(ctx context.Context, rows []int32) ([]int32, error) {
	rows = lk.claimKeys(rows)
	for len(rows) > 0 {
		known := lk.engine.listedKey.Load()
		absent, err := lk.findKeys(ctx, rows, known)
		switch {
		case err != nil:
			return nil, err
		case lk.engine.options.Mode == UpdateOnly:
			lk.rows.noteAll(absent, lk.engine.field(lk.engine.options.Key), codeNotFound)
			return nil, nil
		case known != nil, len(absent) == 0:
			return absent, nil
		}
		rows = absent
		if known, err = lk.engine.findListedKey(ctx); known == nil && err == nil {
			rows, err = lk.makeCanary(ctx, rows)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// claimKeys returns those of rows that can be looked up by their key, and rejects
// the others.
func (lk *lookup) claimKeys(rows []int32) (usable []int32) {
	field := lk.engine.field(lk.engine.options.Key)
	for _, row := range rows {
		key := lk.rows.key(row)
		switch {
		case (!lk.engine.byKey || len(key) == 0) && len(lk.rows.id(row)) > 0:
			lk.rows.note(row, lk.engine.field(idField), codeNotFound, "")
		case !lk.engine.byKey || len(key) == 0:
			lk.rows.note(row, field, codeNoKey, "")
		case !api.Lookupable(key):
			lk.rows.note(row, field, codeKeyUnusable, "")
		case !lk.engine.claims.Take(keyClaim, key):
			lk.rows.note(row, field, codeDuplicateInFile, "")
		default:
			usable = append(usable, row)
		}
	}
	return usable
}

// findKeys looks rows up by their keys, as they are and as they stand in their
// cells, and settles those that are found. It returns the others.
func (lk *lookup) findKeys(ctx context.Context, rows []int32, known *canaryKey) (absent []int32, err error) {
	var keys []string
	for _, row := range rows {
		keys = append(keys, string(lk.rows.key(row)))
		if padded := lk.rows.padded(row); padded != nil && askable(padded) {
			keys = append(keys, string(padded))
		}
	}
	canary := ""
	if known != nil {
		canary = known.key
	}
	found, err := lk.engine.findByKeys(ctx, keys, canary)
	if err != nil {
		return nil, lk.engine.lookupFailed(ctx, err)
	}
	field := lk.engine.field(lk.engine.options.Key)
	for _, row := range rows {
		padded := lk.rows.padded(row)
		of, asStands := found[string(lk.rows.key(row))], found[string(padded)]
		records, near := slices.Concat(of.Records, asStands.Records), slices.Concat(of.OtherForms, asStands.OtherForms)
		// What becomes of two rows of a file whose keys are near must not depend on which is sent first.
		near = slices.DeleteFunc(near, lk.engine.madeKey)
		lk.engine.noteFirstListed(records, near)
		switch {
		case len(records) > 0:
			if key := lk.rows.key(row); records[0].Key == string(key) {
				lk.engine.forms.met(key)
			}
			if err := lk.settleByKey(row, records); err != nil {
				return nil, err
			}
		case len(near) > 0:
			lk.rows.note(row, field, codeKeyForm, "")
		case padded != nil && !askable(padded):
			lk.rows.note(row, field, codeKeyUnusable, "")
		default:
			absent = append(absent, row)
		}
	}
	return absent, lk.actions.changeRecords(ctx, lk.takeChanges())
}

func (lk *lookup) settleByKey(row int32, records []api.Record) error {
	if lk.engine.options.SkipExisting {
		return lk.exists(row, records)
	}
	id := bytes.ToLower([]byte(records[0].ID))
	field := lk.engine.field(lk.engine.options.Key)
	switch {
	case len(records) > 1:
		lk.rows.note(row, field, CodeKeyNotUnique, "")
	case !isUUID(id):
		return fmt.Errorf("GET %s: a record without an id", lk.engine.options.Path)
	case !lk.engine.claims.Take(idClaim, id):
		lk.rows.note(row, field, codeDuplicateInFile, "")
	default:
		return lk.compare(row, string(id), records[0].Object)
	}
	return nil
}

// compare settles row by the record it is about: unchanged if that holds all of
// the row. Otherwise what differs is to be sent.
func (lk *lookup) compare(row int32, id string, record []byte) error {
	lk.rows.noteReadOnly(row, record)
	patch, err := lk.matcher.lacks(row, lk.rows.wanted(row), record)
	switch {
	case err != nil:
		return err
	case !lk.downgradeErrors(row, patch, record):
		lk.rows.chunk.Fates[row] = pipeline.Rejected
	case patch == nil:
		lk.rows.chunk.Fates[row] = pipeline.Unchanged
	default:
		lk.todo = append(lk.todo, change{row, id, patch, record})
	}
	return nil
}

// downgradeErrors reports whether row, whose record would have to be changed by patch, may
// be taken for what it is in spite of its faults, which are then warnings. A
// missing value is excusable where the record has none either: an API that does
// not show it. All else is downgraded only in a row that changes nothing.
func (lk *lookup) downgradeErrors(row int32, patch, record []byte) bool {
	faults := lk.rows.errorsOf(row)
	for _, at := range faults {
		p := &lk.rows.chunk.Problems[at]
		name := memberOf(lk.engine.schema.Fields[p.Field].Name)
		got := jsonscan.Member(record, name)
		held := jsonscan.Member(lk.rows.item(row), name) != nil || lk.rows.asStored(row, name, got)
		if lacking := p.Code == codeRequired && isNoValue(got); !lacking && (patch != nil || !held) {
			return false
		}
	}
	if len(faults) > 0 {
		lk.rows.downgrade(row)
	}
	return true
}

// exists settles row, whose key records have.
func (lk *lookup) exists(row int32, records []api.Record) error {
	if len(records) > 1 {
		lk.rows.note(row, lk.engine.field(lk.engine.options.Key), CodeKeyNotUnique, "")
		return nil
	}
	patch, err := lk.matcher.lacks(row, lk.rows.item(row), records[0].Object)
	if err != nil {
		return err
	}
	if patch == nil {
		lk.rows.chunk.Fates[row] = pipeline.Unchanged
		lk.rows.setID(row, []byte(records[0].ID))
		return nil
	}
	lk.rows.chunk.Fates[row] = pipeline.Existing
	lk.rows.warnFields(row, patch, codeExistsOtherwise)
	return nil
}

// skipExisting settles those of rows, which would make records, whose keys are there.
// It returns the others.
func (lk *lookup) skipExisting(ctx context.Context, rows []int32) ([]int32, error) {
	if !lk.engine.options.SkipExisting {
		return rows, nil
	}
	rows = lk.claimKeys(rows)
	for len(rows) > 0 {
		known, err := lk.engine.findListedKey(ctx)
		if err != nil {
			return nil, err
		}
		if known != nil {
			return lk.findKeys(ctx, rows, known)
		}
		// The list is empty: the first row that is written will be there.
		if rows, err = lk.makeCanary(ctx, rows); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// makeCanary makes sure that a key is known that the list shows: if it has shown none yet,
// it creates the first of rows and finds that. It returns the rows still to be
// settled.
func (lk *lookup) makeCanary(ctx context.Context, rows []int32) ([]int32, error) {
	if lk.engine.listedKey.Load() == nil {
		var err error
		if rows, err = lk.actions.makeFirst(ctx, rows); err != nil {
			return nil, err
		}
	}
	if len(rows) > 0 && lk.engine.listedKey.Load() == nil {
		return nil, lk.engine.cannotFind(errUnseen)
	}
	return rows, nil
}

func (lk *lookup) takeChanges() []change {
	changes := lk.todo
	lk.todo = lk.todo[:0]
	return changes
}

func (lk *lookup) end() {
	clear(lk.todo[:cap(lk.todo)])
	lk.todo = lk.todo[:0]
}
