import TensorCore

/// Rows between the padded rectangles of the V2 protocol and packed batches.
enum PaddedRows {
    /// The valid positions of `[B, C, L]`, time first: `[R, C]`.
    static func transposing(_ padded: Tensor, channels: Int, lengths: [Int]) -> Tensor {
        let length = padded.shape[2]
        return padded.withElements(of: Float.self) { source in
            Tensor(of: Float.self, shape: rows(lengths, channels)) { target in
                var next = 0
                for (sequence, own) in lengths.enumerated() {
                    let start = sequence * channels * length
                    for step in 0..<own {
                        for channel in 0..<channels {
                            target[next] = source[start + channel * length + step]
                            next += 1
                        }
                    }
                }
            }
        }
    }

    /// The valid positions of `[B, L, C]`: `[R, C]`.
    static func packing<T: TensorElement>(
        _ padded: Tensor,
        of type: T.Type,
        columns: Int,
        lengths: [Int],
        length: Int
    ) -> Tensor {
        padded.withElements(of: T.self) { source in
            Tensor(of: T.self, shape: rows(lengths, columns)) { target in
                var next = 0
                for (sequence, own) in lengths.enumerated() {
                    let start = sequence * length * columns
                    for element in start..<start + own * columns {
                        target[next] = source[element]
                        next += 1
                    }
                }
            }
        }
    }

    /// Never larger than the rectangle the rows come from.
    private static func rows(_ lengths: [Int], _ columns: Int) -> Shape {
        [lengths.reduce(0, +), columns]
    }

    /// Packed rows `[R, F...]` as a rectangle with a batch axis and a time axis, zeros at padding.
    ///
    /// With `timeAxis` 0 the result is `[L, B, F...]`, else `[B, ...]` with L standing at `timeAxis`.
    static func padding(_ rows: Tensor, lengths: [Int], length: Int, timeAxis: Int) throws(ShapeError)
        -> Tensor
    {
        let features = Array(rows.shape.dimensions.dropFirst())
        let split = min(max(timeAxis - 1, 0), features.count)
        let outer = features[..<split].reduce(1, *)
        let innerBytes = features[split...].reduce(1, *) * rows.elementType.byteCount
        let dimensions =
            timeAxis == 0
            ? [length, lengths.count] + features
            : [lengths.count] + features[..<split] + [length] + features[split...]
        var padded = Tensor(uninitialized: rows.elementType, shape: try Shape(checking: dimensions))
        guard innerBytes > 0 else { return padded }
        padded.withMutableBytes { target in
            target.initializeMemory(as: UInt8.self, repeating: 0)
            rows.withBytes { source in
                var row = 0
                for (sequence, own) in lengths.enumerated() {
                    for step in 0..<own {
                        for block in 0..<outer {
                            let place =
                                timeAxis == 0
                                ? (step * lengths.count + sequence) * outer + block
                                : (sequence * outer + block) * length + step
                            let from = (row * outer + block) * innerBytes
                            UnsafeMutableRawBufferPointer(
                                rebasing: target[place * innerBytes..<(place + 1) * innerBytes]
                            ).copyMemory(
                                from: UnsafeRawBufferPointer(rebasing: source[from..<from + innerBytes])
                            )
                        }
                        row += 1
                    }
                }
            }
        }
        return padded
    }
}
