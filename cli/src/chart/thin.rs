//! Lines of many points with fewer. Invariant: the highest, the lowest, the first and the last value of each piece are kept.

/// At most about `most` of the points, such that the line looks the same (U. Jugel and others, "M4: A Visualization-Oriented Time Series
/// Data Aggregation", 2014). The points are in order of x.
///
/// A piece is a span of x, not a number of points, as it is on the screen.
pub(crate) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= most {
        return points.to_vec();
    }
    let pieces = (most / 4).max(1) as f64;
    let width = (last.0 - first.0) / pieces;
    let piece_of = |x: f64| if width > 0.0 { ((x - first.0) / width).floor().min(pieces - 1.0) } else { 0.0 };
    points.chunk_by(|a, b| piece_of(a.0) == piece_of(b.0)).flat_map(ends_and_extremes).collect()
}

/// The first and the last point, and the lowest and the highest, in order and each once.
fn ends_and_extremes(piece: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let place = |better: fn(f64, f64) -> bool| {
        piece.iter().enumerate().fold(0, |best, (index, point)| if better(point.1, piece[best].1) { index } else { best })
    };
    let mut kept = vec![0, place(|a, b| a < b), place(|a, b| a > b), piece.len() - 1];
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| piece[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 1.0), (1.0, 5.0)];
        assert_eq!(thinned(&points, 2), points);
        assert_eq!(thinned(&[], 2), []);
    }

    #[test]
    fn each_piece_keeps_its_ends_and_extremes() {
        // Two pieces, of x below and from 5.
        let points: Vec<(f64, f64)> =
            [1.0, 9.0, 3.0, 0.0, 2.0, 2.0, 2.5, 4.0, 3.0, 1.0, 7.0].iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
        let kept = thinned(&points, 8);
        assert_eq!(kept, [(0.0, 1.0), (1.0, 9.0), (3.0, 0.0), (4.0, 2.0), (5.0, 2.0), (9.0, 1.0), (10.0, 7.0)]);
    }

    #[test]
    fn points_at_one_place_are_one_piece() {
        let points = [(2.0, 1.0), (2.0, 3.0), (2.0, 2.0), (2.0, 2.5), (2.0, 2.0)];
        assert_eq!(thinned(&points, 4), [(2.0, 1.0), (2.0, 3.0), (2.0, 2.0)]);
    }
}
