internal import CKernels
internal import Dispatch

/// The two passes of a batch normalization over `[B, C, L]`: moments, and the normalization itself.
///
/// No bit depends on the number of threads: the batch is cut into blocks of consecutive sequences by the mask alone; each
/// block has its moments, and those are merged in the blocks' order.
struct BatchPass {
    /// A block ends with the sequence that fills it.
    static let positionsInBlock = 4096
    /// The channels of a block whose running sums are held at a time.
    static let channelsAtOnce = 64

    let positions: ValidPositions
    let channels: Int
    let threads: Int

    init(_ positions: ValidPositions, channels: Int, threads: Int) {
        self.positions = positions
        self.channels = channels
        self.threads = max(1, threads)
    }

    /// The moments of each channel's valid positions.
    ///
    /// - Parameter x: `[B, C, L]`; read at valid positions only.
    /// - Returns: The moments, of ``channels`` channels.
    func moments(of x: UnsafePointer<Float>) -> Moments {
        let blocks = positions.blocks(of: Self.positionsInBlock)
        let groups = (channels + Self.channelsAtOnce - 1) / Self.channelsAtOnce
        let size = blocks.count * channels
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, 2 * size)) { results in
            nonisolated(unsafe) let (x, results) = (x, results)
            divide(blocks.count * groups) { tasks in
                let scratch = MomentScratch(channels: Self.channelsAtOnce, broken: positions.longestBroken)
                for task in tasks {
                    let (block, group) = task.quotientAndRemainder(dividingBy: groups)
                    let first = group * Self.channelsAtOnce
                    let last = min(first + Self.channelsAtOnce, channels)
                    let place = block * channels + first
                    addMoments(of: x, in: blocks[block], channels: first..<last, with: scratch)
                    scratch.finish(count: blocks[block].count, channels: last - first) { channel, mean, m2 in
                        results[place + channel] = mean
                        results[size + place + channel] = m2
                    }
                }
            }
            var moments = Moments(channels: channels)
            for (index, block) in blocks.enumerated() {
                let place = (index * channels)..<((index + 1) * channels)
                moments.merge(
                    count: block.count,
                    total: moments.count + block.count,
                    mean: UnsafeBufferPointer(results.extracting(..<size).extracting(place)),
                    m2: UnsafeBufferPointer(results.extracting(size...).extracting(place))
                )
            }
            return moments
        }
    }

    /// Adds the sequences of a block to the running sums of some channels, relative to the first valid value.
    ///
    /// The shift is one of the values, so the squares are at most n + 1 times what they would be around the mean: of
    /// the 53 bits, subtracting the mean's square takes log2(n + 1) at worst.
    private func addMoments(
        of x: UnsafePointer<Float>,
        in block: ValidPositions.Block,
        channels range: Range<Int>,
        with scratch: MomentScratch
    ) {
        let length = positions.length
        scratch.reset()
        let first =
            x + (block.sequences.lowerBound * channels + range.lowerBound) * length + block.firstPosition
        for channel in 0..<range.count { scratch.shifts[channel] = first[channel * length] }
        positions.runs.withUnsafeBufferPointer { runs in
            guard let runs = runs.baseAddress else { return }
            for sequence in block.sequences where positions.counts[sequence] > 0 {
                let row = x + (sequence * channels + range.lowerBound) * length
                let start = positions.starts[sequence]
                if length == 1 {
                    kernels.add_moments_of_columns(
                        range.count,
                        row,
                        scratch.shifts,
                        scratch.sums,
                        scratch.squares
                    )
                } else {
                    kernels.add_moments(
                        range.count,
                        row,
                        length,
                        positions.starts[sequence + 1] - start,
                        runs + start,
                        scratch.shifts,
                        scratch.lanes,
                        scratch.row
                    )
                }
            }
        }
        if length > 1 { kernels.join_lanes(range.count, scratch.lanes, scratch.sums, scratch.squares) }
    }

    /// `y = (x - mean) * factor + bias` at valid positions; elsewhere 0, or what stands there.
    ///
    /// - Parameters:
    ///   - x: `[B, C, L]`; read at valid positions only.
    ///   - y: `[B, C, L]`; may be `x`.
    ///   - coefficients: Means, factors and biases, one of each channel.
    ///   - keepsPadding: Whether nothing is written at padding.
    func normalize(
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        coefficients: [sn_normalization],
        keepsPadding: Bool = false
    ) {
        coefficients.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            nonisolated(unsafe) let (x, y, coefficients) = (x, y, start)
            divide(positions.batch * channels) { rows in
                var row = rows.lowerBound
                while row < rows.upperBound {
                    let (sequence, channel) = row.quotientAndRemainder(dividingBy: channels)
                    let count = min(channels - channel, rows.upperBound - row)
                    normalize(
                        rows: count,
                        of: sequence,
                        x + row * positions.length,
                        into: y + row * positions.length,
                        coefficients: coefficients + channel,
                        keepsPadding: keepsPadding
                    )
                    row += count
                }
            }
        }
    }

    private func normalize(
        rows: Int,
        of sequence: Int,
        _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>,
        coefficients: UnsafePointer<sn_normalization>,
        keepsPadding: Bool
    ) {
        if positions.length == 1 {
            if positions.counts[sequence] > 0 {
                kernels.normalize_columns(rows, x, y, coefficients)
            } else if !keepsPadding {
                y.update(repeating: 0, count: rows)
            }
            return
        }
        let start = positions.starts[sequence]
        positions.runs.withUnsafeBufferPointer { runs in
            kernels.normalize_rows(
                rows,
                positions.length,
                x,
                y,
                positions.starts[sequence + 1] - start,
                runs.baseAddress.map { $0 + start },
                coefficients,
                keepsPadding
            )
        }
    }

    /// Calls the body for parts of `0 ..< count` that together are all of it, each on one thread.
    private func divide(_ count: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = min(threads, count)
        guard parts > 1 else {
            if count > 0 { body(0..<count) }
            return
        }
        let (size, rest) = count.quotientAndRemainder(dividingBy: parts)
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            let start = part * size + min(part, rest)
            body(start..<(start + size + (part < rest ? 1 : 0)))
        }
    }

    private var kernels: sn_kernels { sn_active().pointee }
}
