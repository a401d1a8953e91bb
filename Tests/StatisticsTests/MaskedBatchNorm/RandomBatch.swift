import Statistics
import TensorCore
import TestSupport

/// Reproducible batches.
struct RandomBatch {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func bits() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// In `0 ..< bound`.
    mutating func index(below bound: Int) -> Int { Int((bits() >> 16) % UInt64(bound)) }

    /// `[B, C, L]`, or `[B, C]` for no length; channel c has mean c and values within 2 of it.
    mutating func input(_ batch: Int, _ channels: Int, _ length: Int? = nil) throws -> Tensor {
        let shape = try Shape(checking: [batch, channels] + (length.map { [$0] } ?? []))
        let values = (0..<shape.elementCount).map { index in
            Float(index / (length ?? 1) % channels)
                + Float(Int32(truncatingIfNeeded: bits() >> 32)) / Float(1 << 30)
        }
        return try Tensor(values, shape: shape)
    }

    /// B * L positions, about half of them valid, the first always.
    mutating func mask(_ batch: Int, _ length: Int) -> [Bool] {
        (0..<(batch * length)).map { $0 == 0 || bits() >> 40 & 1 == 1 }
    }

    /// The same input with random bits, many of them NaN or infinite, where the mask is false.
    mutating func spoiled(_ x: Tensor, where mask: [Bool]) -> Tensor {
        let (channels, length) = (x.shape[1], x.shape.rank == 3 ? x.shape[2] : 1)
        var x = x
        x.withMutableElements(of: Float.self) { elements in
            for index in elements.indices {
                let position = index / length / channels * length + index % length
                guard !mask[position] else { continue }
                let exponent: UInt32 = index % 2 == 0 ? 0x7F80_0000 : 0
                elements[index] = Float(bitPattern: UInt32(truncatingIfNeeded: bits() >> 16) | exponent)
            }
        }
        return x
    }

    /// 0 to B - 1 in a random order.
    mutating func order(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, index(below: place + 1)) }
        return order
    }
}

extension MaskedBatchNorm.Mask {
    /// A mask `[B, 1, L]` of truth values, or `[B, 1]` for no length.
    static func positions(_ mask: [Bool], batch: Int, length: Int? = nil) throws -> Self {
        .tensor(try Tensor(mask, shape: Shape(checking: [batch, 1] + (length.map { [$0] } ?? []))))
    }
}

extension Tensor {
    /// The sequences in another order.
    func sequences(_ order: [Int]) throws -> Tensor {
        try Tensor(order.flatMap { element(at: $0).array(of: Float.self) }, shape: shape)
    }
}
