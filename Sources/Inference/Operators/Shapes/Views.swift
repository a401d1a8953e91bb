import TensorCore

/// Reshape: the same elements under the shape its second input names; 0 keeps an axis, -1 takes what remains.
struct Reshape: Operator, TakingAllTypes {
    private let allowsZero: Bool

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(2...2)
        allowsZero = reader.opset >= 14 ? try reader.flag("allowzero", default: false) : false
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.take(0)
        var dimensions = try inputs[1].integers(input: 1)
        var open: Int?
        var known = 1
        for (axis, length) in dimensions.enumerated() {
            if length == -1 {
                guard open == nil else { throw .inputValue(input: 1) }
                open = axis
                continue
            }
            if length == 0 && !allowsZero {
                guard axis < x.shape.rank else { throw .inputValue(input: 1) }
                dimensions[axis] = x.shape[axis]
            }
            let (product, overflow) = known.multipliedReportingOverflow(by: dimensions[axis])
            guard !overflow, product >= 0 else { throw .inputValue(input: 1) }
            known = product
        }
        if let open {
            guard known > 0, x.count % known == 0 else { throw .inputValue(input: 1) }
            dimensions[open] = x.count / known
        }
        return .one(try x.viewed(as: Shape.checked(dimensions)))
    }
}

/// Flatten: the axes before `axis` as one, the others as one.
struct Flatten: Operator, TakingAllTypes {
    private let axis: Int

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        try reader.expectInputs(1...1)
        axis = try reader.int("axis", default: 1)
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.take(0)
        let split = axis == x.shape.rank ? axis : try x.shape.axis(axis)
        let (outer, inner) = (
            x.shape.elementCount(of: 0..<split), x.shape.elementCount(of: split..<x.shape.rank)
        )
        return .one(try x.viewed(as: Shape.checked([outer, inner])))
    }
}

/// Squeeze: without the axes named, or without all of length 1; axes are an attribute before opset 13.
struct Squeeze: Operator, TakingAllTypes {
    private let axes: [Int]?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttribute = reader.opset < 13
        try reader.expectInputs(hasAttribute ? 1...1 : 1...2)
        axes = hasAttribute ? try reader.ints("axes") : nil
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.take(0)
        var shape = x.shape
        if let axes = try inputs.integers(1, unless: axes) {
            for axis in try shape.axes(axes).reversed() {
                guard shape[axis] == 1 else {
                    throw .shape(.dimensionMismatch(axis: axis, expected: 1, actual: shape[axis]))
                }
                shape = shape.removing(axis: axis)
            }
        } else {
            for axis in (0..<shape.rank).reversed() where shape[axis] == 1 {
                shape = shape.removing(axis: axis)
            }
        }
        return .one(try x.viewed(as: shape))
    }
}

/// Unsqueeze: with new axes of length 1, counted in the result; an attribute before opset 13.
struct Unsqueeze: Operator, TakingAllTypes {
    private let axes: [Int]?

    init(_ reader: inout AttributeReader) throws(OperatorError) {
        let hasAttribute = reader.opset < 13
        try reader.expectInputs(hasAttribute ? 1...1 : 2...2)
        axes = hasAttribute ? try reader.ints("axes") : nil
        if hasAttribute && axes == nil { throw .missingAttribute("axes") }
    }

    func evaluate(_ inputs: NodeInputs) throws(OperatorError) -> NodeOutputs {
        let x = try inputs.take(0)
        guard let axes = try inputs.integers(1, unless: axes) else { throw .missingInput(1) }
        guard x.shape.rank + axes.count <= Shape.maximumRank else {
            throw .shape(.rankTooHigh(rank: x.shape.rank + axes.count, limit: Shape.maximumRank))
        }
        var shape = x.shape
        for _ in axes { shape = try shaped { () throws(ShapeError) in try shape.inserting(1, at: 0) } }
        let positions = try shape.axes(axes)
        shape = x.shape
        for axis in positions {
            shape = try shaped { () throws(ShapeError) in try shape.inserting(1, at: axis) }
        }
        return .one(try x.viewed(as: shape))
    }
}

extension Reshape: ReorderingOperator {
    func extents(_ inputs: NodeFacts) throws(NoRule) -> [Number] {
        let x = try inputs[0]
        guard var target = try inputs[1].numbers else { throw NoRule("the new shape is unknown") }
        var open: Int?
        for (axis, length) in target.enumerated() {
            if length == .integer(-1) {
                guard open == nil else { throw NoRule("two lengths are open") }
                open = axis
            } else if length == .integer(0) && !allowsZero {
                guard axis < x.rank else { throw NoRule("an axis that is kept is missing") }
                target[axis] = x.extents[axis]
            }
        }
        guard let all = ValueFacts.count(x.extents),
            let named = ValueFacts.count(target.enumerated().filter { $0.offset != open }.map(\.element)),
            named.factor > 0
        else { throw NoRule("the new shape is unknown") }
        var left = all.functions
        for function in named.functions {
            guard let index = left.firstIndex(of: function) else { throw NoRule("the new shape mixes time") }
            left.remove(at: index)
        }
        guard let open else {
            guard left.isEmpty, all.factor == named.factor else { throw NoRule("the new shape mixes time") }
            return target
        }
        guard left.count <= 1, all.factor % named.factor == 0 else {
            throw NoRule("the new shape mixes time")
        }
        let factor = all.factor / named.factor
        if let function = left.first {
            guard let length = function.multiplied(by: factor) else {
                throw NoRule("the new shape is too large")
            }
            target[open] = .length(length)
        } else {
            target[open] = .integer(factor)
        }
        return target
    }
}

extension Flatten: ReorderingOperator {
    func extents(_ inputs: NodeFacts) throws(NoRule) -> [Number] {
        let x = try inputs[0]
        let split = axis == x.rank ? axis : try NodeFacts.axis(axis, rank: x.rank)
        var result: [Number] = []
        for part in [x.extents[..<split], x.extents[split...]] {
            guard let (factor, functions) = ValueFacts.count(part), functions.count <= 1 else {
                throw NoRule("axes of time are joined")
            }
            guard let function = functions.first else {
                result.append(.integer(factor))
                continue
            }
            guard let length = function.multiplied(by: factor) else { throw NoRule("an axis is too long") }
            result.append(.length(length))
        }
        return result
    }
}

extension Squeeze: ReorderingOperator {
    func extents(_ inputs: NodeFacts) throws(NoRule) -> [Number] {
        let x = try inputs[0]
        guard let named = try inputs.integers(1, unless: axes) else {
            guard x.timeAxes.isEmpty else { throw NoRule("an axis of time goes away where it is 1 long") }
            return x.extents.filter { $0 != .integer(1) }
        }
        let axes = try NodeFacts.axes(named, rank: x.rank)
        guard axes.allSatisfy({ x.extents[$0] == .integer(1) }) else { throw NoRule("an axis is not 1 long") }
        return x.extents.indices.filter { !axes.contains($0) }.map { x.extents[$0] }
    }
}

extension Unsqueeze: ReorderingOperator {
    func extents(_ inputs: NodeFacts) throws(NoRule) -> [Number] {
        let x = try inputs[0]
        guard let named = try inputs.integers(1, unless: axes) else { throw NoRule("the axes are missing") }
        let axes = try NodeFacts.axes(named, rank: x.rank + named.count)
        var extents = x.extents
        for axis in axes { extents.insert(.integer(1), at: axis) }
        return extents
    }
}
