internal import Foundation

/// The processor time of rounds of repeated work on this thread, so that neighbours on the machine count little.
struct Measurement {
    /// Seconds of one repetition, a round each, ascending.
    let seconds: [Double]

    /// Repeats the work for about 20 ms a round.
    ///
    /// - Parameters:
    ///   - rounds: The number of rounds.
    ///   - work: What is measured.
    init(rounds: Int = 9, _ work: () -> Void) {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        func time(_ repetitions: Int) -> Double {
            let start = now()
            for _ in 0..<repetitions { work() }
            return now() - start
        }
        work()
        let once = max(time(3) / 3, 1e-9)
        let repetitions = max(1, Int(0.02 / once))
        seconds = (0..<rounds).map { _ in time(repetitions) / Double(repetitions) }.sorted()
    }

    /// The median round.
    var median: Double { seconds[seconds.count / 2] }
    /// The fastest round.
    var best: Double { seconds[0] }
}
