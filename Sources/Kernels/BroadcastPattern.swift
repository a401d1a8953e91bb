internal import TensorCore

/// The loops of a broadcast, adjacent axes that behave alike merged, innermost last.
struct BroadcastPattern {
    private(set) var rank = 0
    private(set) var dimensions = InlineArray<8, Int>(repeating: 1)
    private(set) var aStrides = InlineArray<8, Int>(repeating: 0)
    private(set) var bStrides = InlineArray<8, Int>(repeating: 0)

    init(a: Shape, b: Shape, result: Shape) {
        precondition(a.rank <= result.rank && b.rank <= result.rank, "operands have too many axes")
        let aLead = result.rank - a.rank
        let bLead = result.rank - b.rank
        var axis = 0
        var previous = (false, false)
        while axis < result.rank {
            let length = result[axis]
            let aLength = axis < aLead ? 1 : a[axis - aLead]
            let bLength = axis < bLead ? 1 : b[axis - bLead]
            axis += 1
            precondition(
                (aLength == length || aLength == 1) && (bLength == length || bLength == 1),
                "no broadcast"
            )
            if length == 1 { continue }
            let varies = (aLength != 1, bLength != 1)
            if rank > 0 && varies == previous {
                dimensions[rank - 1] *= length
            } else {
                dimensions[rank] = length
                aStrides[rank] = varies.0 ? 1 : 0
                bStrides[rank] = varies.1 ? 1 : 0
                rank += 1
            }
            previous = varies
        }
        if rank == 0 { rank = 1 }
        var aStride = 1
        var bStride = 1
        for axis in stride(from: rank - 1, through: 0, by: -1) {
            if aStrides[axis] != 0 {
                aStrides[axis] = aStride
                aStride *= dimensions[axis]
            }
            if bStrides[axis] != 0 {
                bStrides[axis] = bStride
                bStride *= dimensions[axis]
            }
        }
    }

    mutating func withPointers(
        _ body: (Int32, UnsafePointer<Int>, UnsafePointer<Int>, UnsafePointer<Int>) -> Void
    ) {
        let rank = Int32(self.rank)
        withUnsafePointer(to: &dimensions) { dimensions in
            withUnsafePointer(to: &aStrides) { aStrides in
                withUnsafePointer(to: &bStrides) { bStrides in
                    body(
                        rank,
                        UnsafeRawPointer(dimensions).assumingMemoryBound(to: Int.self),
                        UnsafeRawPointer(aStrides).assumingMemoryBound(to: Int.self),
                        UnsafeRawPointer(bStrides).assumingMemoryBound(to: Int.self)
                    )
                }
            }
        }
    }
}
