package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
)

// orchard is a collection of trees, kept in partitions.
type orchard struct {
	ctx    context.Context
	client *milvusclient.Client
	name   string
}

type tree struct {
	key  int64
	kind string
}

// partitionGuide takes partitions from their creation to their end.
func partitionGuide(ctx context.Context, client *milvusclient.Client) {
	o := orchard{ctx, client, fmt.Sprintf("orchard_%d", os.Getpid())}
	must(o.create())
	step("a new collection has the default partition", o.partitions)
	step("a partition is created", func() (any, error) { return o.createPartition("north") })
	step("another partition is created", func() (any, error) { return o.createPartition("south") })
	step("creating a partition again changes nothing", func() (any, error) { return o.createPartition("south") })
	step("a partition that exists is found", func() (any, error) { return o.hasPartition("north") })
	step("a partition that does not exist is not found", func() (any, error) { return o.hasPartition("east") })
	step("nothing is loaded at first", func() (any, error) { return o.states("_default", "north", "south") })
	step("rows go into a named partition", func() (any, error) {
		return o.plant("north", tree{1, "apple"}, tree{2, "pear"}, tree{3, "plum"})
	})
	step("rows go into another partition", func() (any, error) {
		return o.plant("south", tree{4, "apple"}, tree{5, "fig"}, tree{6, "pear"})
	})
	step("rows without a partition go into the default one", func() (any, error) {
		return o.plant("", tree{7, "apple"}, tree{8, "cherry"})
	})
	step("rows can't go into an unknown partition", func() (any, error) { return o.plant("east", tree{9, "apple"}) })
	step("a partition counts its rows", func() (any, error) { return o.rowCount("south") })
	step("a query of a released collection is refused", func() (any, error) { return o.trees("tree > 0") })
	step("one partition is loaded", func() (any, error) { return o.load("north") })
	step("a query finds the rows of the loaded partition", func() (any, error) { return o.trees("tree > 0") })
	step("a query of a released partition is refused", func() (any, error) { return o.trees("tree > 0", "south") })
	step("a loaded partition can't be dropped", func() (any, error) { return o.dropPartition("north") })
	step("several partitions are loaded in one call", func() (any, error) { return o.load("north", "south") })
	step("a query finds the rows of both", func() (any, error) { return o.trees("tree > 0") })
	step("a query can be kept to one partition", func() (any, error) { return o.trees("tree > 0", "south") })
	step("a filter and a partition work together", func() (any, error) { return o.trees(`kind == "pear"`, "south") })
	step("a search can be kept to one partition", func() (any, error) { return o.nearest("", "south") })
	step("a search can be kept to several partitions", func() (any, error) { return o.nearest("", "south", "north") })
	step("a search in a partition takes a filter", func() (any, error) { return o.nearest(`kind != "pear"`, "north") })
	step("a query of an unknown partition is refused", func() (any, error) { return o.trees("tree > 0", "east") })
	step("a search of an unknown partition is refused", func() (any, error) { return o.nearest("", "east") })
	step("a delete in the wrong partition deletes nothing", func() (any, error) { return o.delete("tree == 5", "north") })
	step("a delete in its partition deletes", func() (any, error) { return o.delete("tree == 5", "south") })
	step("an upsert in a partition replaces the row", func() (any, error) { return o.replace("south", tree{6, "peach"}) })
	step("one partition is released", func() (any, error) { return o.release("south") })
	step("several partitions are released in one call", func() (any, error) { return o.release("north", "south") })
	step("the whole collection is loaded", o.loadAll)
	step("a query finds the rows of all partitions", func() (any, error) { return o.trees("tree > 0") })
	step("a partition made after the load can be read", o.newPartitionOfLoadedCollection)
	step("the whole collection is released", o.releaseAll)
	step("loading an unknown partition is refused", func() (any, error) { return o.load("east") })
	step("some fields of a partition are loaded", func() (any, error) { return o.loadFields(true, "tree", "leaf") })
	step("a loaded field is returned", func() (any, error) { return o.queryField("tree < 3", "tree") })
	step("a field that was left out is not returned", func() (any, error) { return o.queryField("tree < 3", "kind") })
	step("a field that was left out is no filter", func() (any, error) { return o.trees(`kind == "apple"`) })
	step("the dynamic field that was left out is no filter", func() (any, error) { return o.trees("age == 10") })
	step("a load with other fields is refused", func() (any, error) { return o.loadFields(false, "tree", "leaf", "kind") })
	step("the partition is released again", func() (any, error) { return o.release("north") })
	step("the primary key can't be left out of a load", func() (any, error) { return o.loadFields(false, "kind", "leaf") })
	step("a released partition is dropped", func() (any, error) { return o.dropPartition("south") })
	step("dropping an unknown partition changes nothing", func() (any, error) { return o.dropPartition("south") })
	step("the default partition can't be dropped", func() (any, error) { return o.dropPartition("_default") })
	step("the rows of a dropped partition are gone", func() (any, error) {
		if err := o.loadCollection(); err != nil {
			return nil, err
		}
		return o.trees("tree > 0")
	})
	must(client.DropCollection(ctx, milvusclient.NewDropCollectionOption(o.name)))
}

func (o orchard) create() error {
	schema := entity.NewSchema().WithName(o.name).WithDynamicFieldEnabled(true).
		WithField(entity.NewField().WithName("tree").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("kind").WithDataType(entity.FieldTypeVarChar).WithMaxLength(32)).
		WithField(entity.NewField().WithName("leaf").WithDataType(entity.FieldTypeFloatVector).WithDim(2))
	option := milvusclient.NewCreateCollectionOption(o.name, schema).WithConsistencyLevel(entity.ClStrong)
	if err := o.client.CreateCollection(o.ctx, option); err != nil {
		return err
	}
	task, err := o.client.CreateIndex(o.ctx, milvusclient.NewCreateIndexOption(o.name, "leaf", index.NewFlatIndex(entity.L2)))
	if err != nil {
		return err
	}
	return task.Await(o.ctx)
}

func (o orchard) partitions() (any, error) {
	return o.client.ListPartitions(o.ctx, milvusclient.NewListPartitionOption(o.name))
}

func (o orchard) createPartition(name string) (any, error) {
	if err := o.client.CreatePartition(o.ctx, milvusclient.NewCreatePartitionOption(o.name, name)); err != nil {
		return nil, err
	}
	return o.partitions()
}

func (o orchard) dropPartition(name string) (any, error) {
	if err := o.client.DropPartition(o.ctx, milvusclient.NewDropPartitionOption(o.name, name)); err != nil {
		return nil, err
	}
	return o.partitions()
}

func (o orchard) hasPartition(name string) (any, error) {
	return o.client.HasPartition(o.ctx, milvusclient.NewHasPartitionOption(o.name, name))
}

func (o orchard) states(partitions ...string) (any, error) {
	names := map[entity.LoadStateCode]string{
		entity.LoadStateNotLoad: "NotLoad", entity.LoadStateLoading: "Loading", entity.LoadStateLoaded: "Loaded",
	}
	state, err := o.client.GetLoadState(o.ctx, milvusclient.NewGetLoadStateOption(o.name))
	if err != nil {
		return nil, err
	}
	found := map[string]string{"orchard": names[state.State]}
	for _, partition := range partitions {
		state, err := o.client.GetLoadState(o.ctx, milvusclient.NewGetLoadStateOption(o.name, partition))
		if err != nil {
			return nil, err
		}
		found[partition] = names[state.State]
	}
	return found, nil
}

func (o orchard) load(partitions ...string) (any, error) {
	return o.awaitLoad(milvusclient.NewLoadPartitionsOption(o.name, partitions...))
}

func (o orchard) loadFields(skipDynamic bool, fields ...string) (any, error) {
	option := milvusclient.NewLoadPartitionsOption(o.name, "north").
		WithLoadFields(fields...).WithSkipLoadDynamicField(skipDynamic)
	return o.awaitLoad(option)
}

func (o orchard) awaitLoad(option milvusclient.LoadPartitionsOption) (any, error) {
	task, err := o.client.LoadPartitions(o.ctx, option)
	if err != nil {
		return nil, err
	}
	if err := task.Await(o.ctx); err != nil {
		return nil, err
	}
	return o.states("north", "south")
}

func (o orchard) loadCollection() error {
	task, err := o.client.LoadCollection(o.ctx, milvusclient.NewLoadCollectionOption(o.name))
	if err != nil {
		return err
	}
	return task.Await(o.ctx)
}

func (o orchard) loadAll() (any, error) {
	if err := o.loadCollection(); err != nil {
		return nil, err
	}
	return o.states("_default", "north", "south")
}

func (o orchard) release(partitions ...string) (any, error) {
	err := o.client.ReleasePartitions(o.ctx, milvusclient.NewReleasePartitionsOptions(o.name, partitions...))
	if err != nil {
		return nil, err
	}
	return o.states("north", "south")
}

func (o orchard) releaseAll() (any, error) {
	err := o.client.ReleaseCollection(o.ctx, milvusclient.NewReleaseCollectionOption(o.name))
	if err != nil {
		return nil, err
	}
	return o.states("_default", "north", "south")
}

func (o orchard) columns(partition string, trees []tree) columnOption {
	var keys, ages []int64
	var kinds []string
	var leaves [][]float32
	for _, t := range trees {
		keys, ages = append(keys, t.key), append(ages, t.key*10)
		kinds, leaves = append(kinds, t.kind), append(leaves, []float32{float32(t.key), 0})
	}
	return milvusclient.NewColumnBasedInsertOption(o.name).WithPartition(partition).
		WithInt64Column("tree", keys).WithVarcharColumn("kind", kinds).
		WithFloatVectorColumn("leaf", 2, leaves).WithInt64Column("age", ages)
}

func (o orchard) plant(partition string, trees ...tree) (any, error) {
	result, err := o.client.Insert(o.ctx, o.columns(partition, trees))
	return result.InsertCount, err
}

func (o orchard) replace(partition string, t tree) (any, error) {
	if _, err := o.client.Upsert(o.ctx, o.columns(partition, []tree{t})); err != nil {
		return nil, err
	}
	filter := fmt.Sprintf("tree == %d", t.key)
	result, err := o.client.Query(o.ctx, milvusclient.NewQueryOption(o.name).WithFilter(filter).WithOutputFields("kind"))
	if err != nil {
		return nil, err
	}
	return result.GetColumn("kind").GetAsString(0)
}

func (o orchard) delete(filter, partition string) (any, error) {
	option := milvusclient.NewDeleteOption(o.name).WithExpr(filter).WithPartition(partition)
	if _, err := o.client.Delete(o.ctx, option); err != nil {
		return nil, err
	}
	return o.trees("tree > 0")
}

func (o orchard) trees(filter string, partitions ...string) (any, error) {
	option := milvusclient.NewQueryOption(o.name).WithFilter(filter).WithOutputFields("tree").WithPartitions(partitions...)
	result, err := o.client.Query(o.ctx, option)
	if err != nil {
		return nil, err
	}
	keys := []int64{}
	for i := range result.GetColumn("tree").Len() {
		key, err := result.GetColumn("tree").GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, nil
}

func (o orchard) nearest(filter string, partitions ...string) (any, error) {
	option := milvusclient.NewSearchOption(o.name, 10, []entity.Vector{entity.FloatVector{0, 0}}).
		WithFilter(filter).WithPartitions(partitions...)
	results, err := o.client.Search(o.ctx, option)
	if err != nil {
		return nil, err
	}
	keys := []int64{}
	for i := range results[0].ResultCount {
		key, err := results[0].IDs.GetAsInt64(i)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (o orchard) queryField(filter, field string) (any, error) {
	result, err := o.client.Query(o.ctx, milvusclient.NewQueryOption(o.name).WithFilter(filter).WithOutputFields(field))
	if err != nil {
		return nil, err
	}
	found := []map[string]any{}
	for i := range result.GetColumn(field).Len() {
		value, err := result.GetColumn(field).Get(i)
		if err != nil {
			return nil, err
		}
		found = append(found, map[string]any{field: value})
	}
	return found, nil
}

func (o orchard) rowCount(partition string) (any, error) {
	flush, err := o.client.Flush(o.ctx, milvusclient.NewFlushOption(o.name))
	if err != nil {
		return nil, err
	}
	if err := flush.Await(o.ctx); err != nil {
		return nil, err
	}
	stats, err := o.client.GetPartitionStats(o.ctx, milvusclient.NewGetPartitionStatsOption(o.name, partition))
	if err != nil {
		return nil, err
	}
	var count int
	_, err = fmt.Sscan(stats["row_count"], &count)
	return count, err
}

func (o orchard) newPartitionOfLoadedCollection() (any, error) {
	if _, err := o.createPartition("west"); err != nil {
		return nil, err
	}
	if _, err := o.plant("west", tree{20, "quince"}); err != nil {
		return nil, err
	}
	return o.trees("tree > 0", "west")
}
