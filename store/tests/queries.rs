//! Queries with answers worked out by hand, and errors that say what to do.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt8Array, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::date::DateRange;
use stillpoint_store::query::{
    Aggregate, AsOf, ColumnStatistics, How, Label, Literal, Query, QueryError, Resample, Statistics, Step, col, lit,
};

fn times(nanos: &[i64]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(nanos.to_vec()).with_timezone("UTC"))
}

/// Six trades within 25 seconds, in seconds after the epoch.
fn trades() -> RecordBatch {
    let seconds = [0, 4, 9, 10, 10, 25].map(|s| s * 1_000_000_000);
    RecordBatch::try_from_iter_with_nullable([
        ("time", times(&seconds), false),
        ("price", Arc::new(Float64Array::from(vec![100.0, 102.0, 99.0, 101.0, 103.0, 98.0])) as ArrayRef, true),
        ("size", Arc::new(UInt8Array::from(vec![Some(1), Some(2), None, Some(4), Some(5), Some(200)])) as ArrayRef, true),
        ("venue", Arc::new(StringArray::from(vec![Some("XA"), Some("XB"), Some("XA"), None, Some("XB"), Some("OFF")])) as ArrayRef, true),
    ])
    .unwrap()
}

fn run(query: &Query, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let plan = query.plan(&batch.schema())?;
    let batches: Vec<RecordBatch> = plan.run([Ok::<_, QueryError>(batch.clone())]).collect::<Result<_, _>>()?;
    Ok(arrow_select::concat::concat_batches(plan.schema(), &batches).unwrap())
}

fn floats(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().iter().collect()
}

fn integers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
}

fn seconds(batch: &RecordBatch) -> Vec<i64> {
    batch.column_by_name("time").unwrap().as_primitive::<TimestampNanosecondType>().values().iter().map(|n| n / 1_000_000_000).collect()
}

/// The seconds of the trades that a condition keeps.
fn check_filter(condition: stillpoint_store::query::Expr, expected: &[i64]) {
    let kept = run(&Query::new().filter(condition.clone()), &trades()).unwrap();
    assert_eq!(seconds(&kept), expected, "{condition}");
}

#[test]
fn filters_keep_what_is_true() {
    check_filter(col("price").gt(101), &[4, 10]);
    check_filter(col("price").between(99, 101), &[0, 9, 10]);
    // The size at 9 s is unknown, so is its comparison and the opposite of it.
    check_filter(col("size").lt(5), &[0, 4, 10]);
    check_filter(!col("size").lt(5), &[10, 25]);
    check_filter(col("size").is_null(), &[9]);
    check_filter(col("size").lt(5) | col("price").eq(99.0), &[0, 4, 9, 10]);
    check_filter(col("venue").starts_with("X") & !col("venue").ends_with("B"), &[0, 9]);
    check_filter(col("venue").matches("^.F+$"), &[25]);
    check_filter(col("venue").contains("F"), &[25]);
    check_filter(col("venue").is_in(["OFF", "XB"]), &[4, 10, 25]);
    check_filter(!col("venue").is_in(["OFF", "XB"]), &[0, 9]);
    check_filter(col("venue").is_in(Vec::<Literal>::new()), &[]);
    check_filter(!col("venue").is_in(Vec::<Literal>::new()), &[0, 4, 9, 10, 25]);
    check_filter(col("time").ge(Instant::EPOCH + Duration::secs(10)), &[10, 10, 25]);
    check_filter((col("time") - Instant::EPOCH).gt(10_000_000_000i64), &[25]);
    check_filter((col("time") + 1_000_000_000).eq(Instant::EPOCH + Duration::secs(5)), &[4]);
    check_filter(lit(true), &[0, 4, 9, 10, 10, 25]);
    check_filter(Literal::Null.into(), &[]);
    check_filter((-col("price")).lt(-102.5), &[10]);
    check_filter((col("price") - 100).abs().le(1), &[0, 9, 10]);
    check_filter(col("size").max(3).eq(3), &[0, 4]);
}

#[test]
fn computed_columns_follow_the_rules_of_types() {
    let query = Query::new().select([
        ("less", col("size") - 3),
        ("half", col("size") / 2),
        ("rest", col("size") % 3),
        ("none", col("size") % 0),
        ("value", col("price") * col("size")),
    ]);
    let answer = run(&query, &trades()).unwrap();
    assert_eq!(integers(&answer, "less"), [Some(-2), Some(-1), None, Some(1), Some(2), Some(197)]);
    assert_eq!(floats(&answer, "half"), [Some(0.5), Some(1.0), None, Some(2.0), Some(2.5), Some(100.0)]);
    assert_eq!(integers(&answer, "rest"), [Some(1), Some(2), None, Some(1), Some(2), Some(2)]);
    assert_eq!(integers(&answer, "none"), [None; 6]);
    assert_eq!(floats(&answer, "value")[..3], [Some(100.0), Some(204.0), None]);
    assert!(answer.column_by_name("time").is_none());
}

#[test]
fn what_does_not_fit_is_null_in_its_row_alone() {
    let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN, 7])) as ArrayRef)]).unwrap();
    let query = Query::new().select([
        ("more", col("n") + 1),
        ("minus", -col("n")),
        ("abs", col("n").abs()),
        ("double", col("n") * 2),
        ("rest", col("n") % lit(-1)),
        ("over", lit(1) % (col("n") - 7)),
    ]);
    let answer = run(&query, &batch).unwrap();
    assert_eq!(integers(&answer, "more"), [None, Some(i64::MIN + 1), Some(8)]);
    assert_eq!(integers(&answer, "minus"), [Some(-i64::MAX), None, Some(-7)]);
    assert_eq!(integers(&answer, "abs"), [Some(i64::MAX), None, Some(7)]);
    assert_eq!(integers(&answer, "double"), [None, None, Some(14)]);
    assert_eq!(integers(&answer, "rest"), [Some(0); 3]);
    assert_eq!(integers(&answer, "over"), [Some(1), None, None]);
}

#[test]
fn integers_compare_exactly_and_nan_is_the_greatest() {
    let batch = RecordBatch::try_from_iter([
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 9_007_199_254_740_993])) as ArrayRef),
        ("i", Arc::new(Int64Array::from(vec![-1, 0, 9_007_199_254_740_992])) as ArrayRef),
        ("f", Arc::new(Float64Array::from(vec![f64::NAN, -0.0, f64::INFINITY])) as ArrayRef),
    ])
    .unwrap();
    let truths =
        |expr| -> Vec<Option<bool>> { run(&Query::new().select([("it", expr)]), &batch).unwrap().column(0).as_boolean().iter().collect() };
    let all = |values: [bool; 3]| values.map(Some).to_vec();
    assert_eq!(truths(col("u").gt(col("i"))), all([true, false, true]));
    assert_eq!(truths(col("u").eq(u64::MAX)), all([true, false, false]));
    assert_eq!(truths(col("f").eq(0.0)), all([false, true, false]));
    assert_eq!(truths(col("f").eq(-f64::NAN)), all([true, false, false]));
    assert_eq!(truths(col("f").gt(f64::INFINITY)), all([true, false, false]));
    assert_eq!(truths(col("f").lt(col("i"))), all([false, false, false]));
    // As floats the two are the same number.
    assert_eq!(truths(col("u").eq(9_007_199_254_740_992.0)), all([false, false, true]));
}

#[test]
fn groups_are_sorted_by_key() {
    let query = Query::new().group(["venue"], [(How::Sum, "size"), (How::Mean, "price"), (How::Count, "size"), (How::First, "price")]);
    let answer = run(&query, &trades()).unwrap();
    let venues: Vec<Option<&str>> = answer.column(0).as_string::<i32>().iter().collect();
    assert_eq!(venues, [None, Some("OFF"), Some("XA"), Some("XB")]);
    assert_eq!(integers(&answer, "size_sum"), [Some(4), Some(200), Some(1), Some(7)]);
    assert_eq!(floats(&answer, "price_mean"), [Some(101.0), Some(98.0), Some(99.5), Some(102.5)]);
    assert_eq!(integers(&answer, "size_count"), [Some(1), Some(1), Some(1), Some(2)]);
    assert_eq!(floats(&answer, "price_first"), [Some(101.0), Some(98.0), Some(100.0), Some(102.0)]);
}

#[test]
fn the_group_of_all_rows_is_there_without_rows() {
    let query = Query::new()
        .filter(col("price").lt(0))
        .group(Vec::<String>::new(), [(How::Count, "price"), (How::Sum, "size"), (How::Std, "price"), (How::Max, "price")]);
    let answer = run(&query, &trades()).unwrap();
    assert_eq!((integers(&answer, "price_count"), integers(&answer, "size_sum")), (vec![Some(0)], vec![None]));
    assert_eq!((floats(&answer, "price_std"), floats(&answer, "price_max")), (vec![None], vec![None]));
}

#[test]
fn deviations_are_those_of_a_sample() {
    let batch = RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])) as ArrayRef)])
        .unwrap();
    let answer = run(&Query::new().group(Vec::<String>::new(), [(How::Std, "x")]), &batch).unwrap();
    // Squared distances from 5 add up to 32, over 7.
    assert!((floats(&answer, "x_std")[0].unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
}

#[test]
fn aggregates_keep_the_type_of_the_column() {
    let batch = RecordBatch::try_from_iter([
        ("f", Arc::new(Float32Array::from(vec![1.5, -2.5])) as ArrayRef),
        ("s", Arc::new(LargeStringArray::from(vec!["b", "a"])) as ArrayRef),
        ("t", Arc::new(TimestampMillisecondArray::from(vec![5, 3])) as ArrayRef),
        ("z", Arc::new(TimestampMillisecondArray::from(vec![5, 3]).with_timezone("Europe/London")) as ArrayRef),
        ("u", Arc::new(UInt64Array::from(vec![u64::MAX - 1, 1])) as ArrayRef),
        ("b", Arc::new(BooleanArray::from(vec![true, true])) as ArrayRef),
    ])
    .unwrap();
    let least = Query::new().group(Vec::<String>::new(), ["f", "s", "t", "z", "u", "b"].map(|name| (How::Min, name)));
    let answer = run(&least, &batch).unwrap();
    for (column, expected) in answer.columns().iter().zip(batch.columns()) {
        assert_eq!(column.data_type(), expected.data_type());
    }
    assert_eq!(answer.column(0).as_ref(), &Float32Array::from(vec![-2.5]));
    assert_eq!(answer.column(1).as_ref(), &LargeStringArray::from(vec!["a"]));
    assert_eq!(answer.column(3).as_ref(), &TimestampMillisecondArray::from(vec![3]).with_timezone("Europe/London"));
    let sums = run(&Query::new().group(Vec::<String>::new(), [(How::Sum, "u"), (How::Sum, "b")]), &batch).unwrap();
    assert_eq!(sums.column(0).as_ref(), &UInt64Array::from(vec![u64::MAX]));
    assert_eq!(sums.column(1).as_ref(), &Int64Array::from(vec![2]));
}

#[test]
fn bars_are_labelled_when_they_are_known() {
    let bars = Resample::every(Duration::secs(10)).aggregates(Aggregate::ohlc("price")).aggregate(How::Sum, "size");
    let answer = run(&Query::new().resample(bars.clone()), &trades()).unwrap();
    // The trades at 10 s open the second bar; from 20 s on there is one more.
    assert_eq!(seconds(&answer), [10, 20, 30]);
    assert_eq!(floats(&answer, "open"), [Some(100.0), Some(101.0), Some(98.0)]);
    assert_eq!(floats(&answer, "high"), [Some(102.0), Some(103.0), Some(98.0)]);
    assert_eq!(floats(&answer, "low"), [Some(99.0), Some(101.0), Some(98.0)]);
    assert_eq!(floats(&answer, "close"), [Some(99.0), Some(103.0), Some(98.0)]);
    assert_eq!(integers(&answer, "size_sum"), [Some(3), Some(9), Some(200)]);

    let opens = run(&Query::new().resample(bars.clone().label(Label::Open)), &trades()).unwrap();
    assert_eq!(seconds(&opens), [0, 10, 20]);
    let shifted = run(&Query::new().resample(bars.origin(Instant::EPOCH + Duration::secs(1))), &trades()).unwrap();
    assert_eq!(seconds(&shifted), [1, 11, 31]);
    assert_eq!(floats(&shifted, "close"), [Some(100.0), Some(103.0), Some(98.0)]);
}

#[test]
fn bars_of_several_symbols_lie_side_by_side() {
    let bars = Resample::every(Duration::secs(10)).by(["venue"]).aggregate(How::Count, "price");
    let answer = run(&Query::new().resample(bars), &trades()).unwrap();
    assert_eq!(seconds(&answer), [10, 10, 20, 20, 30]);
    let venues: Vec<Option<&str>> = answer.column(1).as_string::<i32>().iter().collect();
    assert_eq!(venues, [Some("XA"), Some("XB"), None, Some("XB"), Some("OFF")]);
    assert_eq!(integers(&answer, "price_count"), [2, 1, 1, 1, 1].map(Some));
}

#[test]
fn rows_are_counted_after_the_steps_before() {
    let of = |query: Query| seconds(&run(&query, &trades()).unwrap());
    let cheap = || Query::new().filter(col("price").lt(103));
    assert_eq!(of(cheap().head(2)), [0, 4]);
    assert_eq!(of(cheap().tail(2)), [10, 25]);
    assert_eq!(of(cheap().rows(1..3)), [4, 9]);
    assert_eq!(of(cheap().rows(4..100)), [25]);
    assert_eq!(of(cheap().head(0)), Vec::<i64>::new());
    assert_eq!(of(cheap().tail(0)), Vec::<i64>::new());
    assert_eq!(of(Query::new().head(4).filter(col("price").lt(101))), [0, 9]);
    let range = DateRange::new(Instant::EPOCH + Duration::secs(4)..Instant::EPOCH + Duration::secs(10)).unwrap();
    assert_eq!(of(Query::new().date_range(range)), [4, 9]);
    assert_eq!(of(Query::new().date_range(DateRange::NOTHING)), Vec::<i64>::new());
}

#[test]
fn nothing_is_read_beyond_the_head() {
    let batch = trades();
    let plan = Query::new().head(7).plan(&batch.schema()).unwrap();
    let read = std::cell::Cell::new(0);
    let endless = std::iter::repeat_with(|| {
        read.set(read.get() + 1);
        Ok::<_, QueryError>(batch.clone())
    });
    let rows: usize = plan.run(endless).map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!((rows, read.get()), (7, 2));
}

#[test]
fn errors_of_the_input_are_passed_on_and_end_the_answer() {
    #[derive(Debug, PartialEq)]
    enum Mine {
        Query(QueryError),
        Disk,
    }
    impl From<QueryError> for Mine {
        fn from(error: QueryError) -> Self {
            Self::Query(error)
        }
    }
    let plan = Query::new().plan(&trades().schema()).unwrap();
    let mut rows = plan.run([Ok(trades()), Err(Mine::Disk), Ok(trades())]);
    assert!(rows.next().unwrap().is_ok());
    assert_eq!(rows.next().unwrap(), Err(Mine::Disk));
    assert!(rows.next().is_none());
    let unsorted = RecordBatch::try_from_iter([("time", times(&[5, 4]))]).unwrap();
    let bars = Query::new().resample(Resample::every(Duration::nanos(1)).aggregate(How::Count, "time"));
    let mut rows = bars.plan(&unsorted.schema()).unwrap().run([Ok(unsorted)]);
    assert!(matches!(rows.next(), Some(Err(Mine::Query(QueryError::Unordered { .. })))));
}

#[test]
fn columns_added_later_are_null_before() {
    let old = RecordBatch::try_from_iter([("time", times(&[1]))]).unwrap();
    let schema = Schema::new(vec![old.schema().field(0).clone(), Field::new("price", DataType::Float64, true)]);
    let plan = Query::new().with("dear", col("price").gt(5)).plan(&schema).unwrap();
    let answer: Vec<RecordBatch> = plan.run([Ok::<_, QueryError>(old)]).collect::<Result<_, _>>().unwrap();
    assert!(answer[0].column(1).is_null(0) && answer[0].column(2).is_null(0));
    let wrong = RecordBatch::try_from_iter([("time", times(&[1])), ("price", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let error = plan.run([Ok::<_, QueryError>(wrong)]).next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a batch does not fit the query's plan: column `price` is of type Int64, not Float64; plan again with the batch's schema"
    );
}

#[test]
fn wrong_queries_fail_when_they_are_planned() {
    let long = |column: &str| Query::new().group(Vec::<String>::new(), [(How::Sum, column)]);
    for (query, message) in [
        (Query::new().filter(col("prise").gt(1)), "filter: there is no column `prise`; did you mean `price`?"),
        (Query::new().columns(["price"]).filter(col("size").gt(1)), "filter: there is no column `size`; there is only `price`"),
        (Query::new().filter(col("price").eq("x")), "`price == \"x\"` takes two numbers, texts, instants or truths, not a float and text"),
        (Query::new().filter(col("price") + 1), "`filter` takes a condition, not `price + 1`, which is a float"),
        (Query::new().filter(col("price") & true), "`price and true` takes true or false, not a float"),
        (Query::new().with("x", col("venue") * 2), "`venue * 2` takes two numbers, not text and an integer"),
        (Query::new().with("x", -col("venue")), "`-venue` takes a number, not text"),
        (
            Query::new().with("x", col("time") + col("time")),
            "takes two numbers, or an instant and nanoseconds, not an instant and an instant",
        ),
        (Query::new().filter(col("price").starts_with("1")), "`price starts with \"1\"` takes text, not a float"),
        (Query::new().filter(col("venue").matches("(")), "`(` is no regular expression:"),
        (Query::new().columns(["price", "price"]), "select: two columns would be called `price`; give one of them another name"),
        (long("venue"), "`venue_sum = sum(venue)` takes numbers or truths, not text"),
        (Query::new().resample(Resample::every(Duration::ZERO)), "resample has bars of 0s; it must be longer than nothing"),
        (Query::new().columns(["price"]).resample(Resample::every(Duration::secs(1))), "resample: there is no column `time`"),
    ] {
        let error = query.plan(&trades().schema()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn sums_and_bars_beyond_64_bits_are_errors() {
    let batch =
        RecordBatch::try_from_iter([("time", times(&[i64::MAX])), ("n", Arc::new(Int64Array::from(vec![i64::MAX])) as ArrayRef)]).unwrap();
    let twice = arrow_select::concat::concat_batches(&batch.schema(), [&batch, &batch]).unwrap();
    let error = run(&Query::new().group(Vec::<String>::new(), [(How::Sum, "n")]), &twice).unwrap_err();
    assert_eq!(
        error.to_string(),
        "n_sum = sum(n) is 18446744073709551614, more than 64 bits hold; sum `column * 1.0` instead, which is a float"
    );
    let hours = |label| Query::new().resample(Resample::every(Duration::hours(1)).label(label).aggregate(How::Count, "n"));
    assert_eq!(run(&hours(Label::Close), &batch).unwrap_err(), QueryError::BarBeyondTime { at: Instant::MAX });
    assert_eq!(run(&hours(Label::Open), &batch).unwrap().num_rows(), 1);
}

fn quotes() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("time", times(&[10, 20, 20, 30]), false),
        ("sym", Arc::new(StringArray::from(vec![Some("A"), Some("A"), Some("B"), None])) as ArrayRef, true),
        ("bid", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef, false),
    ])
    .unwrap()
}

fn asked() -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("time", times(&[5, 10, 15, 20, 24, 27, 99]), false),
        (
            "sym",
            Arc::new(StringArray::from(vec![Some("A"), Some("A"), Some("A"), Some("A"), Some("B"), None, Some("C")])) as ArrayRef,
            true,
        ),
    ])
    .unwrap()
}

fn bids(join: &AsOf) -> Vec<Option<i64>> {
    let (left, right) = (asked(), quotes());
    let joined = join.join(&left.schema(), [Ok::<_, QueryError>(left.clone())], &right.schema(), [Ok(right.clone())]).unwrap();
    let rows: Vec<RecordBatch> = joined.collect::<Result<_, _>>().unwrap();
    integers(&rows[0], "bid")
}

#[test]
fn as_of_joins_find_the_row_of_the_time() {
    assert_eq!(bids(&AsOf::backward()), [None, Some(1), Some(1), Some(3), Some(3), Some(3), Some(4)]);
    assert_eq!(bids(&AsOf::forward()), [Some(1), Some(1), Some(2), Some(2), Some(4), Some(4), None]);
    assert_eq!(bids(&AsOf::nearest()), [Some(1), Some(1), Some(1), Some(3), Some(3), Some(4), Some(4)]);
    assert_eq!(bids(&AsOf::backward().without_exact()), [None, None, Some(1), Some(1), Some(3), Some(3), Some(4)]);
    assert_eq!(bids(&AsOf::forward().without_exact()), [Some(1), Some(2), Some(2), Some(4), Some(4), Some(4), None]);
    assert_eq!(bids(&AsOf::backward().tolerance(Duration::nanos(4))), [None, Some(1), None, Some(3), Some(3), None, None]);
    assert_eq!(bids(&AsOf::backward().by(["sym"])), [None, Some(1), Some(1), Some(2), Some(3), None, None]);
}

#[test]
fn as_of_joins_name_their_columns() {
    let join = AsOf::backward();
    let (left, right) = (asked(), quotes());
    let joined = join.join(&left.schema(), [Ok::<_, QueryError>(left.clone())], &right.schema(), [Ok(right)]).unwrap();
    let names: Vec<String> = joined.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["time", "sym", "time_right", "sym_right", "bid"]);
    let unsorted = RecordBatch::try_from_iter([("time", times(&[2, 1]))]).unwrap();
    let error = join.join(&left.schema(), [Ok::<_, QueryError>(left.clone())], &unsorted.schema(), [Ok(unsorted)]).map(|_| ()).unwrap_err();
    assert!(matches!(error, QueryError::Unordered { .. }), "{error}");
    let empty = RecordBatch::new_empty(quotes().schema());
    let joined = join.join(&left.schema(), [Ok::<_, QueryError>(left)], &empty.schema(), Vec::new()).unwrap();
    assert_eq!(joined.map(|rows| rows.unwrap().column_by_name("bid").unwrap().null_count()).sum::<usize>(), 7);
}

#[test]
fn a_pushdown_holds_what_is_safe() {
    let range: DateRange = "20200101-20200131".parse().unwrap();
    let query = Query::new()
        .date_range(range)
        .filter(col("price").gt(1) & col("size").lt(2))
        .with("price", col("price") * 2)
        .filter(col("price").gt(9) & col("venue").eq("XA"))
        .head(5)
        .filter(col("size").eq(0))
        .columns(["price"]);
    let pushdown = query.pushdown();
    assert_eq!(pushdown.range, range);
    assert_eq!(pushdown.filters, [col("price").gt(1), col("size").lt(2), col("venue").eq("XA")]);
    assert_eq!(pushdown.columns.unwrap().into_iter().collect::<Vec<_>>(), ["price", "size", "time", "venue"]);
    assert_eq!(Query::new().head(1).pushdown().columns, None);
    let disjoint = Query::new().date_range(range).date_range("20210101-".parse().unwrap());
    assert!(disjoint.pushdown().range.is_empty());
    let renamed = Query::new().select([("cost", col("price"))]).filter(col("cost").gt(1));
    assert!(renamed.pushdown().filters.is_empty());
}

#[test]
fn statistics_skip_what_cannot_match() {
    let statistics = Statistics::of(&trades());
    let may = |query: Query| query.pushdown().may_match(&statistics);
    let keeps = |condition| may(Query::new().filter(condition));
    for (condition, expected) in [
        (col("price").gt(103), false),
        (col("price").ge(103), true),
        (col("price").lt(98), false),
        (col("price").eq(200), false),
        (col("size").eq(3), true),
        (col("size").gt(col("price")) & col("venue").lt("A"), false),
        (col("venue").starts_with("Y"), false),
        (col("venue").starts_with("P"), true),
        (col("venue").is_in(["AAA", "ZZZ"]), false),
        (!col("price").between(0, 1000), false),
        (col("price").is_null(), false),
        (col("size").is_null(), true),
        (col("missing").gt(1), true),
        ((col("price") + 1).gt(1000), true),
        (lit(false), false),
        (Literal::Null.into(), false),
    ] {
        assert_eq!(keeps(condition.clone()), expected, "{condition}");
    }
    assert!(!may(Query::new().date_range(DateRange::at(Instant::EPOCH + Duration::secs(26)))));
    assert!(may(Query::new().date_range(DateRange::at(Instant::EPOCH + Duration::secs(11)))));
    assert!(!Query::new().pushdown().may_match(&Statistics::default()));
}

#[test]
fn unknown_nans_are_not_skipped() {
    let bounds = |nans| ColumnStatistics { min: Some(Literal::Float(1.0)), max: Some(Literal::Float(2.0)), nulls: Some(0), nans };
    let pushdown = Query::new().filter(col("x").gt(5)).pushdown();
    for (nans, expected) in [(None, true), (Some(1), true), (Some(0), false)] {
        let statistics = Statistics { rows: 3, columns: [("x".to_owned(), bounds(nans))].into() };
        assert_eq!(pushdown.may_match(&statistics), expected);
    }
}

#[test]
fn queries_can_be_sent() {
    let query = Query::new()
        .date_range("20200101-".parse().unwrap())
        .filter(col("price").gt(1.5) & !col("venue").is_in(["A", "B"]) | col("t").is_null())
        .select([("a", col("price").min(2) % 3), ("b", lit(u64::MAX)), ("c", col("venue").matches("^X"))])
        .resample(Resample::every(Duration::minutes(5)).by(["a"]).aggregates(Aggregate::ohlc("b")))
        .rows(3..9)
        .step(Step::Tail(4));
    let text = serde_json::to_string(&query).unwrap();
    assert_eq!(serde_json::from_str::<Query>(&text).unwrap(), query);
    assert_eq!(Query::new().filter(col("price").gt(1)).head(3).to_string(), "filter price > 1 | head 3");
    assert_eq!(lit(0.0), lit(-0.0));
    assert_ne!(lit(1), lit(1.0));
}
