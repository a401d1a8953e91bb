import TensorCore

/// What is true of a value for every sequence that is run alone, whatever its length.
///
/// An axis is as long as a constant or as a function of the length says. The axis of the batch is one of length 1, as
/// each sequence is its own batch.
struct ValueFacts: Hashable, Sendable {
    /// What is known of the elements.
    enum Content: Hashable, Sendable {
        case unknown
        /// All elements equal this scalar.
        case uniform(Scalar)
        /// The elements in row-major order.
        case numbers([Number])
        /// 0, 1, 2 and so on, of an int64 list.
        case positions
    }

    /// The most elements that are known one by one.
    static let maximumNumbers = 64

    let elementType: ElementType
    let extents: [Number]
    let content: Content

    /// Facts, or nil if an axis is empty for every sequence, unless it is that of a list of numbers, or there are too many of them.
    ///
    /// An axis may still be empty for short sequences; whoever runs a plan looks at the lengths first.
    init?(_ elementType: ElementType, _ extents: [Number], content: Content = .unknown) {
        for case .integer(let length) in extents where length < 1 || length > Shape.maximumElementCount {
            // The end of a shape may be a list of nothing.
            guard length == 0, content == .numbers([]) else { return nil }
        }
        guard extents.count <= Shape.maximumRank else { return nil }
        self.elementType = elementType
        self.extents = extents
        self.content = content
    }

    /// The facts of a constant.
    init?(_ constant: Tensor) {
        let extents = constant.shape.dimensions.map { Number.integer($0) }
        var content = Content.unknown
        if constant.count <= Self.maximumNumbers, constant.shape.rank <= 1,
            constant.elementType == .int64 || constant.elementType == .int32,
            let values = try? constant.integers(input: 0)
        {
            content = .numbers(values.map { .integer($0) })
        } else if constant.count == 1, let scalar = Scalar(constant) {
            content = .uniform(scalar)
        }
        self.init(constant.elementType, extents, content: content)
    }

    var rank: Int { extents.count }

    /// The axes whose length depends on the sequence.
    var timeAxes: [Int] { extents.indices.filter { if case .length = extents[$0] { true } else { false } } }

    /// The one axis whose length depends on the sequence.
    var timeAxis: Int? {
        let axes = timeAxes
        return axes.count == 1 ? axes[0] : nil
    }

    /// How long the one axis is that depends on the sequence.
    var time: LengthFunction? {
        guard let axis = timeAxis, case .length(let function) = extents[axis] else { return nil }
        return function
    }

    /// Whether the value can live as rows: one a position, or one a sequence.
    var isPackable: Bool { timeAxes.count <= 1 && features.count < Shape.maximumRank }

    /// Whether there is an element for every two positions of a sequence, such as what is added to scores of attention.
    var hasPairs: Bool { timeAxes.count == 2 }

    /// The axes that a row has, in order: all but time and those of length 1.
    var featureAxes: [Int] {
        extents.indices.filter { if case .integer(let length) = extents[$0] { length != 1 } else { false } }
    }

    /// The lengths of the axes that a row has.
    var features: [Int] { featureAxes.map { constant($0) ?? 1 } }

    /// The length of an axis if there is one and it is constant.
    func constant(_ axis: Int) -> Int? {
        guard extents.indices.contains(axis), case .integer(let length) = extents[axis] else { return nil }
        return length
    }

    /// The number all elements equal, if one is known.
    var number: Number? {
        guard let numbers, numbers.count == 1 else { return nil }
        return numbers[0]
    }

    /// The elements, if they are known one by one.
    var numbers: [Number]? {
        switch content {
        case .numbers(let numbers): return numbers
        case .uniform(let scalar):
            guard extents.allSatisfy({ $0 == .integer(1) }), let value = scalar.integer else { return nil }
            return [.integer(value)]
        case .unknown, .positions: return nil
        }
    }

    /// The integers, if all elements are known constants.
    var integers: [Int]? {
        guard let numbers else { return nil }
        let integers = numbers.compactMap { if case .integer(let value) = $0 { value } else { nil } }
        return integers.count == numbers.count ? integers : nil
    }

    /// The scalar all elements equal, if it depends on nothing.
    var uniform: Tensor? {
        switch content {
        case .uniform(let scalar): scalar.tensor
        case .numbers(let numbers):
            if case .integer(let value)? = numbers.first, numbers.allSatisfy({ $0 == numbers[0] }) {
                Tensor.scalar(value, elementType)
            } else {
                nil
            }
        case .unknown, .positions: nil
        }
    }

    /// The same value with other elements.
    func with(_ content: Content) -> ValueFacts? { ValueFacts(elementType, extents, content: content) }

    /// The number of elements: a constant factor and the functions it is multiplied by.
    static func count(_ extents: some Sequence<Number>) -> (factor: Int, functions: [LengthFunction])? {
        var factor = 1
        var functions: [LengthFunction] = []
        for extent in extents {
            switch extent {
            case .integer(let length):
                let (product, overflow) = factor.multipliedReportingOverflow(by: length)
                guard !overflow else { return nil }
                factor = product
            case .length(let function): functions.append(function)
            }
        }
        return (factor, functions)
    }

    /// The broadcast of two lists of lengths, if every sequence has the same one.
    static func broadcast(_ a: [Number], _ b: [Number]) throws(NoRule) -> [Number] {
        var result: [Number] = []
        for index in 0..<max(a.count, b.count) {
            let (i, j) = (a.count - 1 - index, b.count - 1 - index)
            let (left, right) = (i < 0 ? .integer(1) : a[i], j < 0 ? .integer(1) : b[j])
            if left == right || right == .integer(1) {
                result.append(left)
            } else if left == .integer(1) {
                result.append(right)
            } else if case (.length(let f), .length(let g)) = (left, right), f.isBounded(g) || g.isBounded(f)
            {
                // Beyond the bound the lengths differ, and the node fails as it does in the model.
                result.append(f.isBounded(g) ? right : left)
            } else {
                throw NoRule("axes of length \(left) and \(right) meet")
            }
        }
        return result.reversed()
    }
}

extension ValueFacts: CustomStringConvertible {
    /// Such as `float32 [1, 64, L]`.
    var description: String {
        "\(elementType.rawValue) [\(extents.map(\.description).joined(separator: ", "))]"
    }
}

/// One element of any type, compared by its bits.
struct Scalar: Hashable, Sendable {
    let elementType: ElementType
    private let bits: UInt64

    /// The element of a tensor that has one.
    init?(_ tensor: Tensor) {
        guard tensor.count == 1 else { return nil }
        elementType = tensor.elementType
        var bits: UInt64 = 0
        withUnsafeMutableBytes(of: &bits) { target in tensor.withBytes { target.copyMemory(from: $0) } }
        self.bits = bits
    }

    /// The whole number that it is exactly; nil for a zero below zero.
    var integer: Int? {
        switch elementType {
        case .int64: return Int(truncatingIfNeeded: bits)
        case .int32: return Int(Int32(truncatingIfNeeded: bits))
        case .float32:
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
            return value == 0 && value.sign == .minus ? nil : Int(exactly: value)
        default: return nil
        }
    }

    /// As a tensor of rank 0.
    var tensor: Tensor {
        var tensor = Tensor(uninitialized: elementType, shape: Shape())
        withUnsafeBytes(of: bits) { source in
            tensor.withMutableBytes { target in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<target.count]))
            }
        }
        return tensor
    }

    /// A tensor whose elements all are the scalar; nil if there is no memory for it.
    func filling(_ shape: Shape) -> Tensor? {
        guard var tensor = Tensor(allocating: elementType, shape: shape) else { return nil }
        let count = tensor.count
        tensor.withMutableRawPointer { target in
            switch elementType.byteCount {
            case 1:
                target.initializeMemory(
                    as: UInt8.self,
                    repeating: UInt8(truncatingIfNeeded: bits),
                    count: count
                )
            case 2:
                target.initializeMemory(
                    as: UInt16.self,
                    repeating: UInt16(truncatingIfNeeded: bits),
                    count: count
                )
            case 4:
                target.initializeMemory(
                    as: UInt32.self,
                    repeating: UInt32(truncatingIfNeeded: bits),
                    count: count
                )
            default: target.initializeMemory(as: UInt64.self, repeating: bits, count: count)
            }
        }
        return tensor
    }
}

extension Tensor {
    /// A whole number as a tensor of rank 0, if the type holds it exactly.
    static func scalar(_ value: Int, _ elementType: ElementType) -> Tensor? {
        switch elementType {
        case .int64: Tensor(scalar: Int64(value))
        case .int32: Int32(exactly: value).map { Tensor(scalar: $0) }
        case .float32: Float(exactly: value).map { Tensor(scalar: $0) }
        case .float64: Double(exactly: value).map { Tensor(scalar: $0) }
        default: nil
        }
    }
}
