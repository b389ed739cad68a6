package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/milvus-io/milvus/client/v2/column"
	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

const above2To53 = int64(9007199254740993)

// harbour is a collection of ships that stand on a line.
type harbour struct {
	ctx    context.Context
	client *milvusclient.Client
	name   string
}

type ship struct {
	key  int64
	name string
	tons float64
	x    float32
	crew any
}

// rows takes rows from their insertion to their end.
func rows(ctx context.Context, client *milvusclient.Client) {
	h := harbour{ctx, client, fmt.Sprintf("harbour_%d", os.Getpid())}
	step("a collection is created, indexed and loaded", h.create)
	step("it is described field by field", h.describe)
	step("rows are inserted and their keys returned", h.insert)
	step("a query returns rows by ascending key", func() (any, error) { return h.keys("tons > 0", 0, 0) })
	step("a key above 2^53 is found exactly", func() (any, error) { return h.names(fmt.Sprintf("ship == %d", above2To53)) })
	step("its neighbour is not found", func() (any, error) { return h.names(fmt.Sprintf("ship == %d", above2To53-1)) })
	step("a dynamic int64 above 2^53 is compared exactly", func() (any, error) { return h.names(fmt.Sprintf("crew == %d", above2To53)) })
	step("a dynamic string is compared", func() (any, error) { return h.names(`berth == "8"`) })
	step("rows are counted", func() (any, error) { return h.count("") })
	step("rows are counted under a filter", func() (any, error) { return h.count("tons >= 30") })
	step("rows are fetched by their keys", func() (any, error) { return h.get(1, 3, 99) })
	step("a vector comes back", func() (any, error) { return h.vectorOf(3) })
	step("a query has a limit and an offset", func() (any, error) { return h.keys("ship > 0", 2, 1) })
	step("a search returns the nearest first", func() (any, error) { return h.search(3, 0, "", make([]float32, 4)) })
	step("a search has an offset", func() (any, error) { return h.search(2, 2, "", make([]float32, 4)) })
	step("a search takes a filter", func() (any, error) { return h.search(3, 0, `name like "C%" or tons > 35`, make([]float32, 4)) })
	step("a vector of another dimension is refused", func() (any, error) { return h.search(3, 0, "", make([]float32, 2)) })
	step("an upsert replaces one row and adds another", h.upsert)
	step("an upsert moves the vector too", func() (any, error) { return h.search(2, 0, "", make([]float32, 4)) })
	step("rows are deleted by key", func() (any, error) {
		return h.delete(milvusclient.NewDeleteOption(h.name).WithInt64IDs("ship", []int64{1, math.MinInt64}))
	})
	step("rows are deleted by filter", func() (any, error) {
		return h.delete(milvusclient.NewDeleteOption(h.name).WithExpr("tons > 35"))
	})
	step("what was deleted is not found", func() (any, error) { return h.search(10, 0, "", make([]float32, 4)) })
	step("a filter that can't be parsed is refused", func() (any, error) { return h.names("tons >>> 1") })
	step("an unknown collection is refused", func() (any, error) {
		return harbour{ctx, client, "nowhere"}.names("ship > 0")
	})
	must(client.DropCollection(ctx, milvusclient.NewDropCollectionOption(h.name)))
	step("a dropped collection is gone", h.exists)
}

func (h harbour) create() (any, error) {
	schema := entity.NewSchema().WithName(h.name).WithDynamicFieldEnabled(true).
		WithField(entity.NewField().WithName("ship").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("name").WithDataType(entity.FieldTypeVarChar).WithMaxLength(64)).
		WithField(entity.NewField().WithName("tons").WithDataType(entity.FieldTypeDouble)).
		WithField(entity.NewField().WithName("place").WithDataType(entity.FieldTypeFloatVector).WithDim(4))
	option := milvusclient.NewCreateCollectionOption(h.name, schema).
		WithIndexOptions(milvusclient.NewCreateIndexOption(h.name, "place", index.NewFlatIndex(entity.L2))).
		WithConsistencyLevel(entity.ClStrong)
	if err := h.client.CreateCollection(h.ctx, option); err != nil {
		return nil, err
	}
	task, err := h.client.LoadCollection(h.ctx, milvusclient.NewLoadCollectionOption(h.name))
	if err != nil {
		return nil, err
	}
	if err := task.Await(h.ctx); err != nil {
		return nil, err
	}
	return h.exists()
}

func (h harbour) exists() (any, error) {
	return h.client.HasCollection(h.ctx, milvusclient.NewHasCollectionOption(h.name))
}

func (h harbour) describe() (any, error) {
	collection, err := h.client.DescribeCollection(h.ctx, milvusclient.NewDescribeCollectionOption(h.name))
	if err != nil {
		return nil, err
	}
	wireNames := map[entity.FieldType]string{
		entity.FieldTypeInt64: "INT64", entity.FieldTypeVarChar: "VARCHAR",
		entity.FieldTypeDouble: "DOUBLE", entity.FieldTypeFloatVector: "FLOAT_VECTOR",
	}
	var fields []string
	for _, field := range collection.Schema.Fields {
		fields = append(fields, fmt.Sprintf("%d %s %s", field.ID, field.Name, wireNames[field.DataType]))
	}
	return fields, nil
}

func (h harbour) insert() (any, error) {
	ships := []ship{
		{1, "Ada", 10.5, 1, nil}, {2, "Bea", 20.25, 2, nil}, {3, "Cleo", 30, 3, above2To53},
		{above2To53, "Dora", 40, 4, nil}, {math.MinInt64, "Eva", 50, 5, nil},
	}
	result, err := h.client.Insert(h.ctx, h.columns(ships))
	if err != nil {
		return nil, err
	}
	return column64ToText(result.IDs)
}

// columns gives the ships as columns; `crew` and `berth` (6 more than the key) are dynamic.
func (h harbour) columns(ships []ship) columnOption {
	var keys, crews []int64
	var names, berths []string
	var tons []float64
	var places [][]float32
	for _, s := range ships {
		crew, _ := s.crew.(int64)
		keys, crews = append(keys, s.key), append(crews, crew)
		names, berths = append(names, s.name), append(berths, strconv.FormatInt(s.key+6, 10))
		tons, places = append(tons, s.tons), append(places, []float32{s.x, 0, 0, 0})
	}
	return milvusclient.NewColumnBasedInsertOption(h.name).
		WithInt64Column("ship", keys).WithVarcharColumn("name", names).
		WithColumns(column.NewColumnDouble("tons", tons)).WithFloatVectorColumn("place", 4, places).
		WithColumns(column.NewColumnInt64("crew", crews), column.NewColumnVarChar("berth", berths))
}

// columnOption is what both Insert and Upsert take.
type columnOption interface {
	milvusclient.InsertOption
	milvusclient.UpsertOption
}

func (h harbour) query(filter, field string, limit, offset int) (column.Column, error) {
	option := milvusclient.NewQueryOption(h.name).WithFilter(filter).WithOutputFields(field)
	if limit > 0 {
		option = option.WithLimit(limit).WithOffset(offset)
	}
	result, err := h.client.Query(h.ctx, option)
	if err != nil {
		return nil, err
	}
	return result.GetColumn(field), nil
}

func (h harbour) keys(filter string, limit, offset int) ([]string, error) {
	found, err := h.query(filter, "ship", limit, offset)
	if err != nil {
		return nil, err
	}
	return column64ToText(found)
}

func (h harbour) names(filter string) ([]string, error) {
	found, err := h.query(filter, "name", 0, 0)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for i := range found.Len() {
		name, err := found.GetAsString(i)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (h harbour) count(filter string) (any, error) {
	found, err := h.query(filter, "count(*)", 0, 0)
	if err != nil {
		return nil, err
	}
	return found.GetAsInt64(0)
}

func (h harbour) get(keys ...int64) (any, error) {
	texts := []string{}
	for _, key := range keys {
		texts = append(texts, strconv.FormatInt(key, 10))
	}
	names, err := h.names("ship in [" + strings.Join(texts, ",") + "]")
	slices.Sort(names)
	return names, err
}

func (h harbour) vectorOf(key int64) (any, error) {
	found, err := h.query(fmt.Sprintf("ship == %d", key), "place", 0, 0)
	if err != nil {
		return nil, err
	}
	return found.Get(0)
}

func (h harbour) search(limit, offset int, filter string, vector entity.FloatVector) (any, error) {
	option := milvusclient.NewSearchOption(h.name, limit, []entity.Vector{vector}).
		WithOffset(offset).WithFilter(filter).WithOutputFields("name")
	results, err := h.client.Search(h.ctx, option)
	if err != nil {
		return nil, err
	}
	hits := []string{}
	for i, score := range results[0].Scores {
		name, err := results[0].GetColumn("name").GetAsString(i)
		if err != nil {
			return nil, err
		}
		hits = append(hits, fmt.Sprintf("%s %g", name, score))
	}
	return hits, nil
}

func (h harbour) upsert() (any, error) {
	ships := []ship{{2, "Bettina", 21, 2.5, nil}, {6, "Fay", 60, 6, nil}}
	if _, err := h.client.Upsert(h.ctx, h.columns(ships)); err != nil {
		return nil, err
	}
	return h.names("ship == 2 or ship == 6")
}

func (h harbour) delete(option milvusclient.DeleteOption) (any, error) {
	if _, err := h.client.Delete(h.ctx, option); err != nil {
		return nil, err
	}
	return h.count("")
}

func column64ToText(values column.Column) ([]string, error) {
	texts := []string{}
	for i := range values.Len() {
		value, err := values.GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		texts = append(texts, strconv.FormatInt(value, 10))
	}
	return texts, nil
}
