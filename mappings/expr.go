package mappings

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flytt/pipeline"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"flytt/internal/text"
)

// columnsName is what expressions call the row: col["Namn"] is the text of a
// cell, empty where there is none.
const columnsName = "col"

// program is a compiled expression. Workers share it; each runs it with an
// exprEnv of its own.
type program struct {
	code    *vm.Program
	cells   []exprCell
	dynamic bool // uses col[…] with a name that is computed
}

// exprCell is an input column that an expression uses, and the variable that
// holds its text. The variable has a name that no expression can spell.
type exprCell struct {
	column   int
	variable string
}

// dynamicCell is the variable that holds the function behind col[…] with a
// name that is computed.
const dynamicCell = " cell"

// exprError is a fault of an expression's text.
type exprError struct {
	offset int // characters from its start
	msg    string
	hint   string
}

func (e *exprError) Error() string { return e.msg }

// unrepeatable are the builtins that could give another result in another run:
// the clock, and those that go through a map in its random order.
var unrepeatable = []string{"now", "keys", "values", "toPairs"}

// compileExpr compiles an expression over the columns called names. Where
// condition is set its result must be true or false, otherwise text, a number,
// true or false, or nil.
func compileExpr(source string, names *headers, condition bool) (*program, *exprError) {
	p := &program{}
	columns := &columnPatcher{names: names, program: p, open: map[ast.Node]bool{}}
	env := map[string]any{columnsName: map[string]string{}, dynamicCell: func(string) (string, error) { return "", nil }}
	for i := range names.names {
		env[cellVariable(i)] = ""
	}
	options := []expr.Option{expr.Env(env), expr.Patch(columns)}
	if condition {
		options = append(options, expr.AsBool())
	}
	for _, name := range unrepeatable {
		options = append(options, expr.DisableBuiltin(name))
	}
	code, err := expr.Compile(source, options...)
	if fault := columns.fault(); fault != nil {
		return nil, fault
	}
	if err != nil {
		return nil, exprFault(err, names.names)
	}
	if !condition && !textual(code.Node().Type()) {
		return nil, &exprError{msg: "the result must be text, a number, true, false or nil"}
	}
	p.code = code
	return p, nil
}

func cellVariable(column int) string { return " " + strconv.Itoa(column) }

// textual reports whether a result of type t, nil if it is not known, may
// become a field's text.
func textual(t reflect.Type) bool {
	if t == nil {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Interface, reflect.Int, reflect.Int64, reflect.Float64:
		return t.PkgPath() == "" // a duration is an int64 too
	}
	return false
}

func exprFault(err error, columns []string) *exprError {
	var at *file.Error
	if !errors.As(err, &at) {
		what, hint := text.Expression(err.Error())
		return &exprError{msg: what, hint: hint}
	}
	if name, ok := strings.CutPrefix(at.Message, "unknown name "); ok {
		return unknownName(name, at.From, columns)
	}
	what, hint := text.Expression(at.Message)
	return &exprError{offset: at.From, msg: what, hint: hint}
}

// unknownName is the fault of a name at offset that is neither a function nor col: it
// suggests the function, or the column, that was meant.
func unknownName(name string, offset int, columns []string) *exprError {
	e := &exprError{offset: offset, msg: "unknown name " + name}
	if slices.Contains(unrepeatable, name) {
		e.msg, e.hint = name+" cannot be used", "its result differs from run to run"
		return e
	}
	column := cmp.Or(text.Suggest(name, columns), "NAME")
	e.hint = text.DidYouMean(name, builtin.Names, fmt.Sprintf(`write col[%q] for a column, and %q for a text`, column, name))
	return e
}

// columnPatcher turns col["Namn"] into the variable that holds the cell, and
// finds uses of col that mean nothing. It sees a node after its children.
type columnPatcher struct {
	names   *headers
	program *program
	open    map[ast.Node]bool // col, not yet seen as part of col[…]
	first   *exprError
}

// Visit implements ast.Visitor.
func (c *columnPatcher) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == columnsName {
			c.open[n] = true
		}
		if n.Value == "$env" {
			c.found(n, "", "$env cannot be used: name the column, col[\"Namn\"]")
		}
	case *ast.MemberNode:
		if c.open[n.Node] {
			delete(c.open, n.Node)
			c.patch(node, n)
		}
	}
}

func (c *columnPatcher) patch(node *ast.Node, n *ast.MemberNode) {
	name, literal := n.Property.(*ast.StringNode)
	if !literal {
		c.program.dynamic = true
		ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: dynamicCell}, Arguments: []ast.Node{n.Property}})
		return
	}
	column, ok := c.names.find(name.Value)
	if !ok {
		c.found(n.Property, text.Known(name.Value, c.names.names), fmt.Sprintf("unknown column %q", name.Value))
		return
	}
	cell := exprCell{column, cellVariable(column)}
	c.program.add(cell)
	ast.Patch(node, &ast.IdentifierNode{Value: cell.variable})
}

// uses reports whether p may look into a column.
func (p *program) uses(column int) bool {
	return p.dynamic || slices.ContainsFunc(p.cells, func(c exprCell) bool { return c.column == column })
}

func (p *program) add(cell exprCell) {
	if !slices.Contains(p.cells, cell) {
		p.cells = append(p.cells, cell)
	}
}

func (c *columnPatcher) found(at ast.Node, hint, msg string) {
	if offset := at.Location().From; c.first == nil || offset < c.first.offset {
		c.first = &exprError{offset, msg, hint}
	}
}

func (c *columnPatcher) fault() *exprError {
	for n := range c.open {
		c.found(n, `write col["Namn"]`, "col without the name of a column")
	}
	return c.first
}

// single returns the one column the program uses, or pipeline.None.
func (p *program) single() int16 {
	if len(p.cells) != 1 || p.dynamic {
		return pipeline.None
	}
	return problemColumn(p.cells[0].column)
}

// exprEnv is what one worker evaluates expressions with.
type exprEnv struct {
	names     *headers
	cells     []pipeline.Column // the input, trimmed and with null words gone
	row       int
	variables map[string]any
	vm        vm.VM
}

func newExprEnv(names *headers) *exprEnv {
	e := &exprEnv{names: names, variables: map[string]any{}}
	e.variables[dynamicCell] = e.cell
	return e
}

// cell returns the text of the current row in the column called name.
func (e *exprEnv) cell(name string) (string, error) {
	column, ok := e.names.find(name)
	if !ok {
		return "", errors.New("unknown column")
	}
	return string(e.cells[column].Value(e.row)), nil
}

// run evaluates p for a row.
func (e *exprEnv) run(p *program, row int) (any, error) {
	e.row = row
	for _, c := range p.cells {
		e.variables[c.variable] = string(e.cells[c.column].Value(row))
	}
	return e.vm.Run(p.code, e.variables)
}

// errResult is the error of a result that is of no use.
var errResult = errors.New("result of the wrong type")

// errCut is the error of a result that is no text: a slice counts bytes, and
// may end within an å.
var errCut = errors.New("a character cut in two")

// appendResult appends the text of a result to dst. A nil result is no value.
func appendResult(dst []byte, result any) ([]byte, error) {
	switch v := result.(type) {
	case nil:
		return dst, nil
	case string:
		if !utf8.ValidString(v) {
			return dst, errCut
		}
		return append(dst, v...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return dst, errResult
		}
		return strconv.AppendFloat(dst, v, 'f', -1, 64), nil
	}
	return dst, errResult
}

// exprShape says where in an expression a row failed, and nothing of the row.
func exprShape(err error) string {
	var at *file.Error
	if errors.As(err, &at) {
		return fmt.Sprintf("at character %d of the expression", at.From+1)
	}
	if errors.Is(err, errCut) {
		return errCut.Error()
	}
	return errResult.Error()
}
