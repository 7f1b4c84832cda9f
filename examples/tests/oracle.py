"""Figures that the tests of this folder expect, worked out from the recording alone and without the engine.

Run it as `python3 examples/tests/oracle.py`. It prints how the recording is ordered, what each late policy does to it as one stream, and
what the strategies of scenarios/quickstart.ron do, with exact fractions for money.
"""

import collections
import datetime
import gzip
import heapq
import json
import pathlib
from fractions import Fraction

FILE = "binance_spot_trades_l1_btcusdt_ethusdt_solusdt.json.gz"
PATH = pathlib.Path(__file__).parent.parent / "data" / "binance-trades" / FILE


def nanos(text):
    """RFC 3339 in UTC to nanoseconds since 1970."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    time = datetime.datetime.fromisoformat(head).replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


def events(clock):
    """(event time, instrument, kind, body) in the order of the file."""
    with gzip.open(PATH, "rt") as file:
        for line in file:
            item = json.loads(line, parse_float=str)["Item"]
            (kind, body), = item["kind"].items()
            yield nanos(item[clock]), item["instrument"], kind, body


def order(times):
    """Backward steps, the longest of them, events below the running maximum, and how far the furthest lies below."""
    steps = [a - b for a, b in zip(times, times[1:]) if b < a]
    maximum, below = times[0], []
    for time in times:
        if time < maximum:
            below.append(maximum - time)
        maximum = max(maximum, time)
    return len(steps), max(steps, default=0), len(below), max(below, default=0)


def late(times, bound):
    """How many items are late with a reorder buffer of `bound` nanoseconds, and the sum of their lags behind the maximum."""
    maximum, count, lag = None, 0, 0
    for time in times:
        if maximum is not None and time < maximum - bound:
            count, lag = count + 1, lag + maximum - time
        maximum = time if maximum is None else max(maximum, time)
    return count, lag


def strategy(clock, floor, instrument, fast, slow, quantity, limit, latency):
    """One average-crossing strategy and the venue, by a heap of (time, class, number, ...): market before messages at one time.

    Times are floored to multiples of `floor` nanoseconds.
    """
    queue = []
    for number, (time, which, kind, body) in enumerate(events(clock)):
        if which == instrument and kind == "OrderBookL1":
            best = [Fraction(body[side][of]) for side in ("best_bid", "best_ask") for of in ("price", "amount")]
            queue.append((time - time % floor, 0, number, "quote", best))
    heapq.heapify(queue)
    number = len(queue) + 10**6
    displayed, averages, seen, above = None, None, 0, None
    position, cost, realised, on_its_way = Fraction(0), Fraction(0), Fraction(0), [Fraction(0), Fraction(0)]
    count = collections.Counter()
    while queue:
        time, _, _, what, body = heapq.heappop(queue)
        if what == "quote":
            displayed = list(body)
            scaled = float(body[0] * 10**8) / 2 + float(body[2] * 10**8) / 2
            if averages is None:
                averages = [scaled, scaled]
            else:
                averages = [a + 2.0 / (n + 1.0) * (scaled - a) for a, n in zip(averages, (fast, slow))]
            seen += 1
            difference = averages[0] - averages[1]
            if difference == 0.0:
                continue
            before, above = above, difference > 0.0
            if seen < slow or before is None or before == above:
                continue
            room = limit - position - on_its_way[0] if above else limit + position - on_its_way[1]
            size = min(quantity, room)
            if size > 0:
                count["orders"] += 1
                on_its_way[0 if above else 1] += size
                number += 1
                heapq.heappush(queue, (time + latency, 1, number, "order", (above, size)))
        elif what == "order":
            buy, size = body
            at = 2 if buy else 0
            filled = min(size, displayed[at + 1])
            displayed[at + 1] -= filled
            number += 1
            heapq.heappush(queue, (time + latency, 1, number, "fill", (buy, size, filled, displayed[at])))
        else:
            buy, size, filled, price = body
            on_its_way[0 if buy else 1] -= size
            count["unfilled"] += filled < size
            if filled == 0:
                continue
            count["fills"] += 1
            signed = filled if buy else -filled
            if position * signed < 0:
                closed = min(abs(position), filled) * (1 if position > 0 else -1)
                share = cost * closed / position
                realised += price * closed - share
                cost, position, signed = cost - share, position - closed, signed + closed
            position, cost = position + signed, cost + price * signed
    mark = (displayed[0] + displayed[2]) / 2
    return dict(count), float(position), float(realised), float(mark * position - cost)


def main():
    for clock in ("time_received", "time_exchange"):
        streams = collections.defaultdict(list)
        for time, instrument, kind, _ in events(clock):
            streams[instrument, kind].append(time)
            streams["all"].append(time)
        print(clock)
        for name, times in streams.items():
            print("  ", name, len(times), min(times), max(times), order(times))
        for bound in (0, 1, 10**6, 10**7, 10**8, 5 * 10**8, 10**9):
            print("   reorder", bound, "late, lag:", late(streams["all"], bound))
        for floor in (1, 3600 * 10**9):
            for number, (quantity, limit) in enumerate([("0.02", "0.01"), ("0.4", "0.2"), ("10", "5")]):
                result = strategy(clock, floor, number, 50, 200, Fraction(quantity), Fraction(limit), 250_000)
                print("   strategy, floor", floor, number, result)


if __name__ == "__main__":
    main()
