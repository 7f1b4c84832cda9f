//! A message that several receivers share reaches all of them, whatever one of their handlers does.

use stillpoint_engine::trace::Collect;
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Link, Message, OnPanic, Report, Simulation, Value};

#[derive(Debug, Hash)]
struct News(u64);

impl Message for News {
    const KIND: &'static str = "news";
}

struct Publisher;

impl Actor for Publisher {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.publish(News(7));
    }
}

impl Handler<News> for Publisher {
    fn handle(&mut self, _: &News, _: &mut Context<'_, Self>) {
        panic!("the first reader cannot bear the news");
    }
}

#[derive(Default)]
struct Reader(i64);

impl Actor for Reader {
    fn report(&self, report: &mut Report) {
        report.integer("news", self.0);
    }
}

impl Handler<News> for Reader {
    fn handle(&mut self, news: &News, _: &mut Context<'_, Self>) {
        self.0 = news.0 as i64;
    }
}

fn readers_get_the_news(latency: Option<Duration>) {
    let mut sim = Simulation::new("news").on_panic(OnPanic::Poison).observe(Box::new(Collect::new("news")));
    let publisher: Addr<Publisher> = sim.actor("a-publisher", Publisher).expect("a free name");
    sim.subscribe_to::<News, _, _>(publisher, publisher);
    for name in ["b", "c"] {
        let reader = sim.actor(name, Reader::default()).expect("a free name");
        sim.subscribe_to::<News, _, _>(reader, publisher);
        if let Some(latency) = latency {
            sim.link("a-publisher", name, Link::latency(latency)).expect("a new link");
            sim.link(name, "a-publisher", Link::latency(latency)).expect("a new link");
        }
    }
    let outcome = sim.run().expect("a poisoned actor does not end the run");
    for name in ["b", "c"] {
        let news = outcome.report(name).and_then(|report| report.get("news"));
        assert_eq!(news, Some(&Value::Integer(7)), "{name} with latency {latency:?}");
    }
    // Three starts, one reader that panics, two that read.
    assert_eq!((outcome.deliveries, outcome.dead_letters), (6, 0));
}

#[test]
fn a_publication_outlives_the_panic_of_a_reader() {
    readers_get_the_news(None);
}

#[test]
fn a_publication_over_links_outlives_the_panic_of_a_reader() {
    readers_get_the_news(Some(Duration::ZERO));
    readers_get_the_news(Some(Duration::nanos(3)));
}
