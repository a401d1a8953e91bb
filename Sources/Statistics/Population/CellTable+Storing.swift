internal import TensorCore

extension CellTable {
    /// The table's parts; of a canonical one, always the same.
    var tensors: [String: Tensor] {
        let axes = cells.first?.count ?? 0
        var tensors = sums.tensors
        tensors["cells"] = .matrix(cells.joined().map(Int64.init), cells.count, axes)
        tensors["batches"] = .matrix(batches.map(Int64.init), cells.count)
        return tensors
    }
}

extension ExactSums {
    var tensors: [String: Tensor] {
        var tensors = [
            "sums": Tensor.matrix(limbs, count, width),
            "lowest": Tensor(scalar: Int64(lowest)),
        ]
        if !notFinite.isEmpty { tensors["not_finite"] = .matrix(notFinite, count) }
        return tensors
    }

    /// Nil if the parts are not those of sums.
    init?(limbs: Tensor, lowest: Tensor, notFinite: Tensor?) {
        // Products of three doubles lie within limbs -51 to 49; the rest is for carries.
        let window = -64...64
        guard limbs.elementType == .uint64, limbs.shape.rank == 2, lowest.elementType == .int64,
            lowest.shape.rank == 0, let bottom = lowest.array(of: Int64.self).first, bottom.magnitude <= 64,
            window.contains(Int(bottom)), limbs.shape[1] <= window.upperBound - Int(bottom)
        else { return nil }
        self.init(count: limbs.shape[0])
        if let notFinite {
            guard notFinite.elementType == .bool, notFinite.shape.dimensions == [count] else { return nil }
        }
        let stored = limbs.array(of: UInt64.self)
        let width = limbs.shape[1]
        if width > 0 {
            // The two highest bits of a sum are equal.
            for index in 0..<count where (stored[(index + 1) * width - 1] >> 62) % 3 != 0 { return nil }
        }
        self.init(
            count: count,
            lowest: Int(bottom),
            width: width,
            limbs: stored,
            notFinite: notFinite?.array(of: Bool.self) ?? []
        )
    }
}

extension Tensor {
    /// A tensor of a shape that the elements are known to have.
    fileprivate static func matrix<T: TensorElement>(_ elements: [T], _ dimensions: Int...) -> Tensor {
        guard let shape = try? Shape(checking: dimensions), let tensor = try? Tensor(elements, shape: shape)
        else { preconditionFailure("the elements are in memory, so their shape is valid") }
        return tensor
    }
}

/// Reads the tables of a stored accumulator.
struct TableReader {
    let tensors: [String: Tensor]
    let batches: Int
    let extents: [Int]
    let label: String
    /// Names of tensors that were not asked for.
    private(set) var unread: Set<String>

    init(tensors: [String: Tensor], batches: Int, extents: [Int], label: String) {
        self.tensors = tensors
        self.batches = batches
        self.extents = extents
        self.label = label
        unread = Set(tensors.keys)
    }

    private mutating func take(_ name: String) -> Tensor? {
        unread.remove(name)
        return tensors[name]
    }

    /// The table with a name; `hasAxes` if a set of axes stands before the steps of a cell.
    mutating func table(_ name: String, width: Int, hasAxes: Bool) throws(StatisticsError) -> CellTable {
        let malformed = StatisticsError.malformed(label: label, what: name)
        guard let cellTensor = take("\(name).cells"), let batchTensor = take("\(name).batches"),
            let limbs = take("\(name).sums"), let lowest = take("\(name).lowest"),
            let sums = ExactSums(limbs: limbs, lowest: lowest, notFinite: take("\(name).not_finite"))
        else { throw malformed }
        let axes = extents.count + (hasAxes ? 1 : 0)
        guard cellTensor.elementType == .int64, cellTensor.shape.rank == 2,
            batchTensor.elementType == .int64, batchTensor.shape.dimensions == [cellTensor.shape[0]],
            cellTensor.shape[1] == axes || cellTensor.shape[0] == 0
        else { throw malformed }
        let count = cellTensor.shape[0]
        let (sumCount, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow, sums.count == sumCount else { throw malformed }
        let limits = (hasAxes ? [1 << extents.count] : []) + extents
        let numbers = cellTensor.array(of: Int64.self).map(Int.init)
        let cells = (0..<count).map { Array(numbers[($0 * axes)..<(($0 + 1) * axes)]) }
        guard cells.allSatisfy({ cell in zip(cell, limits).allSatisfy { $0 >= 0 && $0 < $1 } }),
            zip(cells, cells.dropFirst()).allSatisfy({ $0.lexicographicallyPrecedes($1) })
        else { throw malformed }
        let counts = batchTensor.array(of: Int64.self).map(Int.init)
        guard counts.allSatisfy({ (1...batches).contains($0) }) else { throw malformed }
        return CellTable(width: width, cells: cells, batches: counts, sums: sums)
    }
}
