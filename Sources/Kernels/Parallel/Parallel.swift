internal import Synchronization

/// One piece of work on the calling thread and on ``SpareThreads/current``.
public enum Parallel {
    /// Less work than this, in multiply-adds, is not even worth asking for threads.
    private static let smallestWork = 65536.0
    /// The most parts for each thread, so that one that comes late or is slow takes fewer.
    private static let partsPerThread = 4

    /// Calls the body with ranges that together are `0 ..< count`, each on one thread; returns when all are done.
    ///
    /// Which thread has which range is left to chance, so the body must give the same however the rows are divided.
    ///
    /// - Parameters:
    ///   - count: The number of rows, or of whatever is independent of each other.
    ///   - work: What one of them takes, in multiply-adds.
    ///   - unit: Ranges begin at multiples of this.
    ///   - body: Does the work of a range; one whole range if no thread is spare or there is too little work.
    /// - Complexity: Some nanoseconds where nothing is divided; else a microsecond if the threads helped a moment ago, and some
    ///   ten if they have to be woken.
    public static func forEach(
        _ count: Int,
        work: Int,
        multipleOf unit: Int = 1,
        _ body: (Range<Int>) -> Void
    ) {
        guard count > 0 else { return }
        let total = Double(count) * Double(work)
        guard count > unit, total >= smallestWork, let threads = SpareThreads.current else {
            return body(0..<count)
        }
        let parts = Int(min(total / Double(threads.grain), Double((count + unit - 1) / unit)))
        let taken = threads.take(parts - 1)
        guard taken > 0 else { return body(0..<count) }
        let team = taken + 1
        let even = min(parts, team * partsPerThread) / team * team
        let size = ((count + even - 1) / even + unit - 1) / unit * unit
        let next = Atomic(0)
        HelperThreads.shared.run(on: taken) { isHelper in
            SpareThreads.$current.withValue(threads) {
                // One stays to the end, the others leave for whoever needs them.
                while !isHelper || !threads.isOverdrawn {
                    let start = next.add(size, ordering: .relaxed).oldValue
                    guard start < count else { break }
                    body(start..<min(start + size, count))
                }
            }
            if isHelper { threads.release() }
        }
    }
}
