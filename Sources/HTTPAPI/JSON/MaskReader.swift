import TensorCore

/// Lengths out of a V2 request's mask or lengths tensor.
enum MaskReader {
    private static let types: [ElementType] = [.bool, .float32, .float64] + ElementType.integerTypes

    /// The number of ones of each row of `[B, 1, L]` or `[B, L]`, each at least 1 and before all zeros.
    static func lengths(mask: InputTensor, count: Int, length: Int) throws(BodyError) -> [Int] {
        try mask.require(types, shape: mask.shape.rank == 3 ? [count, 1, length] : [count, length])
        let real = try mask.integers(in: 0...1)
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        for sequence in 0..<count {
            let row = real[sequence * length..<(sequence + 1) * length]
            let own = (row.firstIndex(of: 0) ?? row.endIndex) - row.startIndex
            guard own > 0 else { throw .invalidInput(.emptySequence, at: at(mask, sequence * length)) }
            if let late = row[(row.startIndex + own)...].firstIndex(of: 1) {
                throw .invalidInput(.maskNotRightPadded, at: at(mask, late))
            }
            lengths.append(own)
        }
        return lengths
    }

    /// The values of `[B]`, each from 1 to L and, with a mask, what the mask says.
    static func lengths(
        _ tensor: InputTensor,
        count: Int,
        length: Int,
        mask: [Int]?
    ) throws(BodyError) -> [Int] {
        try tensor.require(ElementType.integerTypes, shape: [count])
        let lengths = try tensor.integers(in: 1...Int64(length)).map { Int($0) }
        if let mask, let other = lengths.indices.first(where: { lengths[$0] != mask[$0] }) {
            throw .invalidInput(.lengthsAgainstMask, at: at(tensor, other))
        }
        return lengths
    }

    private static func at(_ tensor: InputTensor, _ element: Int) -> BodyPlace {
        BodyPlace([.key("data")] + tensor.steps(to: element))
    }
}
