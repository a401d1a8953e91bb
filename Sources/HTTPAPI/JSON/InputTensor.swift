import CSimdJSON
import TensorCore

/// One element of a V2 request's `inputs`, its data not read yet.
struct InputTensor {
    let name: String
    let elementType: ElementType
    let shape: Shape
    let data: JSONValue

    init(_ value: JSONValue) throws(BodyError) {
        try value.require(.object)
        var name: String?
        var elementType: ElementType?
        var shape: Shape?
        var data: JSONValue?
        var seen: Set<String> = []
        try value.forEachMember { (key, value) throws(BodyError) in
            guard seen.insert(key).inserted else { throw .invalidInput(.duplicateKey, at: BodyPlace()) }
            switch key {
            case "name": name = try value.string()
            case "datatype": elementType = try Self.elementType(value)
            case "shape": shape = try Self.shape(value)
            case "data": data = value
            case "parameters": try Self.checkParameters(value)
            default:
                throw .invalidInput(
                    .unknownKey(known: ["name", "shape", "datatype", "data", "parameters"]),
                    at: BodyPlace()
                )
            }
        }
        guard let name else { throw .invalidInput(.missingKey("name"), at: BodyPlace()) }
        guard let elementType else { throw .invalidInput(.missingKey("datatype"), at: BodyPlace()) }
        guard let shape else { throw .invalidInput(.missingKey("shape"), at: BodyPlace()) }
        guard let data else { throw .invalidInput(.missingKey("data"), at: BodyPlace()) }
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.data = data
    }

    private static func elementType(_ value: JSONValue) throws(BodyError) -> ElementType {
        let name = try value.string()
        let known = ElementType.allCases.first {
            $0.datatype == name && $0 != .float16 && $0 != .bfloat16 && !$0.isNarrow
        }
        guard let known else { throw .invalidInput(.unknownDatatype, at: BodyPlace()) }
        return known
    }

    private static func shape(_ value: JSONValue) throws(BodyError) -> Shape {
        try value.require(.array)
        guard value.count <= Shape.maximumRank else { throw .invalidInput(.tooLarge, at: BodyPlace()) }
        var dimensions: [Int] = []
        try value.forEachElement { (length) throws(BodyError) in
            dimensions.append(Int(try length.integer(in: 0...Int64(Shape.maximumElementCount))))
        }
        do throws(ShapeError) {
            return try Shape(checking: dimensions)
        } catch {
            throw .invalidInput(.tooLarge, at: BodyPlace())
        }
    }

    private static func checkParameters(_ value: JSONValue) throws(BodyError) {
        try value.require(.object)
        try value.forEachMember { (key, _) throws(BodyError) in
            guard key != "binary_data_size" else { throw .invalidInput(.binaryData, at: BodyPlace()) }
        }
    }

    /// Throws unless the type is one of those, or the shape (-1: any length) is another.
    func require(_ types: [ElementType], shape expected: [Int]) throws(BodyError) {
        guard types.contains(elementType) else {
            throw .invalidInput(.datatype(expected: types.map(\.datatype)), at: BodyPlace([.key("datatype")]))
        }
        let found = shape.dimensions
        guard found.count == expected.count, zip(found, expected).allSatisfy({ $1 == -1 || $0 == $1 }) else {
            throw .invalidInput(.shape(expected: expected, found: found), at: BodyPlace([.key("shape")]))
        }
    }

    /// The data as float32.
    func floats() throws(BodyError) -> Tensor {
        try checkCount()
        return try Tensor(of: Float.self, shape: shape) { (target) throws(BodyError) in
            try check(csj_flatten_floats(data.parser, data.at, target.baseAddress, target.count))
        }
    }

    /// The data as int64, each within the range of the tensor's own type and of `range`.
    func integers(in range: ClosedRange<Int64>) throws(BodyError) -> [Int64] {
        try checkCount()
        let own = (elementType.integerRange ?? range).clamped(to: range)
        var values = [Int64](repeating: 0, count: shape.elementCount)
        let place = values.withUnsafeMutableBufferPointer { target in
            csj_flatten_int64s(
                data.parser,
                data.at,
                own.lowerBound,
                own.upperBound,
                elementType == .bool,
                target.baseAddress,
                target.count
            )
        }
        try check(place, integers: own)
        return values
    }

    /// Throws unless flat data has as many elements as the shape, or nested data nests as it says.
    private func checkCount() throws(BodyError) {
        do throws(BodyError) {
            try data.require(.array)
            if data.firstElement?.kind == CSJ_ARRAY {
                try checkNesting()
            } else if data.count != shape.elementCount {
                throw .invalidInput(
                    .elementCount(expected: shape.elementCount, found: data.count),
                    at: BodyPlace()
                )
            }
        } catch {
            throw error.inside(.key("data"))
        }
    }

    private func checkNesting() throws(BodyError) {
        var path = [Int](repeating: 0, count: shape.rank)
        let place = csj_check_nesting(data.parser, data.at, shape.dimensions, shape.rank, &path)
        guard place.fault != CSJ_FINE else { return }
        let found = JSONValue.type(of: place.kind)
        let at = BodyPlace(path.prefix(place.row).map { .index($0) })
        switch place.fault {
        case CSJ_WRONG_COUNT:
            throw .invalidInput(.nestedCount(expected: shape[place.row], found: place.count), at: at)
        case CSJ_NOT_AN_ARRAY: throw .invalidJSON(.wrongType(expected: [.array], found: found), at: at)
        default: throw .invalidJSON(.wrongType(expected: [.number], found: found), at: at)
        }
    }

    private func check(_ place: csj_place, integers: ClosedRange<Int64> = 0...0) throws(BodyError) {
        guard place.fault != CSJ_FINE else { return }
        let at = BodyPlace([.key("data")] + steps(to: place.row))
        switch place.fault {
        case CSJ_OUT_OF_RANGE where elementType.integerRange == nil && integers == 0...0:
            throw .invalidInput(.outOfFloatRange, at: at)
        case CSJ_OUT_OF_RANGE:
            throw .invalidInput(
                .integerOutOfRange(lower: integers.lowerBound, upper: integers.upperBound),
                at: at
            )
        case CSJ_NOT_AN_INTEGER: throw .invalidInput(.notAnInteger, at: at)
        case CSJ_WRONG_COUNT:
            throw .invalidInput(
                .elementCount(expected: shape.elementCount, found: place.count),
                at: BodyPlace([.key("data")])
            )
        default:
            throw .invalidJSON(.wrongType(expected: [.number], found: JSONValue.type(of: place.kind)), at: at)
        }
    }

    /// The way to an element, as the data nests.
    func steps(to element: Int) -> [BodyPlace.Step] {
        guard data.firstElement?.kind == CSJ_ARRAY else { return [.index(element)] }
        var rest = element
        var steps: [BodyPlace.Step] = []
        for length in shape.dimensions.reversed() where length > 0 {
            steps.insert(.index(rest % length), at: 0)
            rest /= length
        }
        return steps
    }
}
