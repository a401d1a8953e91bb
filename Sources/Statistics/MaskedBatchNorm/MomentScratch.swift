internal import CKernels

/// Running sums of the channels of one block, for one thread.
final class MomentScratch {
    /// What is subtracted from every value of a channel.
    let shifts: UnsafeMutablePointer<Float>
    /// `[channels][2][SN_MOMENT_LANES]`, as the kernels have them.
    let lanes: UnsafeMutablePointer<Double>
    /// The sums of the differences and of their squares.
    let sums, squares: UnsafeMutablePointer<Double>
    /// Where a row's runs are put side by side.
    let row: UnsafeMutablePointer<Float>
    private let channels: Int
    private var laneCount: Int { 2 * Int(SN_MOMENT_LANES) * channels }

    /// - Parameters:
    ///   - channels: The most channels at a time.
    ///   - broken: The most valid positions of a sequence with more than one run.
    init(channels: Int, broken: Int) {
        self.channels = channels
        shifts = .allocate(capacity: channels)
        lanes = .allocate(capacity: 2 * Int(SN_MOMENT_LANES) * channels)
        sums = .allocate(capacity: channels)
        squares = .allocate(capacity: channels)
        row = .allocate(capacity: max(1, broken))
    }

    deinit {
        shifts.deallocate()
        lanes.deallocate()
        sums.deallocate()
        squares.deallocate()
        row.deallocate()
    }

    /// Sets all sums to 0.
    func reset() {
        lanes.update(repeating: 0, count: laneCount)
        sums.update(repeating: 0, count: channels)
        squares.update(repeating: 0, count: channels)
    }

    /// Gives mean and sum of squared deviations of each channel, from ``sums`` and ``squares`` of `count` values.
    func finish(count: Int, channels: Int, _ body: (_ channel: Int, _ mean: Double, _ m2: Double) -> Void) {
        let n = Double(count)
        for channel in 0..<channels {
            let m2 = squares[channel] - sums[channel] * sums[channel] / n
            body(channel, Double(shifts[channel]) + sums[channel] / n, m2 < 0 ? 0 : m2)
        }
    }
}
