/// How fast compute threads have run lately, and so how long what waits will take them.
///
/// Of each run the rows and the time count, the less the more runs came after it.
struct DrainRate: Sendable {
    /// What a client is asked to wait at least and at most, in seconds.
    static let seconds = 1...60
    /// What a run counts for in comparison to the one after it.
    private static let memory = 0.95

    private var rows = 0.0
    private var threadSeconds = 0.0

    /// Notes what one thread has run.
    ///
    /// - Parameters:
    ///   - rows: At least 1.
    ///   - time: What it took.
    mutating func record(rows: Int, in time: Duration) {
        self.rows = self.rows * Self.memory + Double(rows)
        threadSeconds = threadSeconds * Self.memory + max(0, time / .seconds(1))
    }

    /// After how many seconds so many rows will have been run, if nothing else comes.
    ///
    /// - Parameters:
    ///   - rows: Those that wait.
    ///   - threads: How many run at the same time, at least 1.
    /// - Returns: Rounded up, within ``seconds``; the least if nothing has run yet.
    func secondsToRun(rows: Int, threads: Int) -> Int {
        guard self.rows > 0 else { return Self.seconds.lowerBound }
        let wait = Double(rows) * threadSeconds / (self.rows * Double(max(1, threads)))
        return Int(
            min(max(wait.rounded(.up), Double(Self.seconds.lowerBound)), Double(Self.seconds.upperBound))
        )
    }
}
