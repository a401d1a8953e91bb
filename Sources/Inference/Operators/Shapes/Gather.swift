import Kernels
import TensorCore

/// Gather: the elements of an axis that the indices name; negative ones count from the end.
struct GatherOperator: Operator, TakingAllTypes {
    let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        axis = try reader.int("axis", default: 0)
    }

    init(axis: Int) { self.axis = axis }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs[0]
        var indices = try inputs[1]
        if indices.elementType == .int32 { indices = try Cast.convert(indices, to: .int64, inputs, input: 1) }
        guard indices.elementType == .int64 else {
            throw .unsupportedElementType(indices.elementType, input: 1)
        }
        let axis = try x.shape.axis(axis)
        let length = x.shape[axis]
        if axis == 0, indices.shape.rank == 0 {
            let index = indices.withPointer(to: Int64.self) { Int($0[0]) }
            guard index >= -length, index < length else {
                throw .indexOutOfRange(index: index, length: length)
            }
            return .one(x.element(at: index < 0 ? index + length : index))
        }
        var shape = x.shape.removing(axis: axis)
        for position in 0..<indices.shape.rank {
            let inserted = shape
            shape = try shaped { () throws(ShapeError) in
                try inserted.inserting(indices.shape[position], at: axis + position)
            }
        }
        var y = try inputs.makeTensor(x.elementType, shape)
        let outer = x.shape.elementCount(of: 0..<axis)
        let rowBytes = x.shape.elementCount(of: (axis + 1)..<x.shape.rank) * x.elementType.byteCount
        let fault = x.withRawPointer { table in
            indices.withElements(of: Int64.self) { indices in
                y.withMutableRawPointer { output in
                    Gather.rows(
                        of: table,
                        outer: outer,
                        rows: length,
                        rowBytes: rowBytes,
                        indices: indices,
                        into: output
                    )
                }
            }
        }
        if let fault {
            let index = indices.withPointer(to: Int64.self) { Int($0[fault]) }
            throw .indexOutOfRange(index: index, length: length)
        }
        return .one(y)
    }
}

extension GatherOperator: RaggedOperator {
    func facts(_ inputs: NodeFacts) throws(NoRule) -> [ValueFacts] {
        let (data, indices) = (try inputs[0], try inputs[1])
        let axis = try NodeFacts.axis(axis, rank: data.rank)
        let extents = data.extents[..<axis] + indices.extents + data.extents[(axis + 1)...]
        var content = ValueFacts.Content.unknown
        if let numbers = data.numbers, data.rank == 1, let chosen = indices.integers {
            let places = chosen.map { $0 < 0 ? $0 + numbers.count : $0 }
            guard places.allSatisfy({ numbers.indices.contains($0) }) else {
                throw NoRule("an index is out of range")
            }
            content = .numbers(places.map { numbers[$0] })
        }
        return [try inputs.made(data.elementType, Array(extents), content)]
    }

    func pack(_ packing: NodePacking) throws(NoRule) -> [PlanGraph.ValueID] {
        let (data, indices) = (try packing.input(0), try packing.input(1))
        let axis = try NodeFacts.axis(axis, rank: data.rank)
        if let table = packing.known.constant(0) {
            guard axis == 0 else { throw NoRule("rows are not the table's first axis") }
            let features = table.shape.dimensions.dropFirst().filter { $0 != 1 }
            guard let shape = try? Shape(checking: [table.shape[0]] + features),
                let view = try? table.reshaped(to: shape)
            else { throw NoRule("a table of \(table.shape)") }
            return [packing.emit(GatherOperator(axis: 0), [packing.constant(view), try packing.rows(1)])]
        }
        guard let chosen = packing.known.constant(1), indices.rank <= 1 else {
            throw NoRule("the indices are not constant")
        }
        if axis == data.timeAxis {
            guard chosen.count == 1, let time = data.time, let index = try? chosen.integers(input: 1)[0]
            else {
                throw NoRule("several positions are taken")
            }
            return [packing.emit(SegmentRow(index: index), [try packing.rows(0), packing.offsets(time)])]
        }
        let place = try NodePacking.place(of: axis, in: data)
        guard let list = try? chosen.reshaped(to: Shape(checking: chosen.count == 1 ? [] : [chosen.count]))
        else {
            throw NoRule("the indices are not a list")
        }
        return [packing.emit(GatherOperator(axis: place), [try packing.rows(0), packing.constant(list)])]
    }
}
