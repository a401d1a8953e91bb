import CSimdJSON

/// A value of a parsed document; valid only inside the closure that got it.
struct JSONValue {
    let parser: OpaquePointer
    let at: csj_value

    var kind: csj_kind { csj_kind_of(parser, at) }

    /// The kind as the JSON standard names it.
    var type: SyntaxFault.JSONType { Self.type(of: kind) }

    static func type(of kind: csj_kind) -> SyntaxFault.JSONType {
        switch kind {
        case CSJ_OBJECT: .object
        case CSJ_ARRAY: .array
        case CSJ_STRING: .string
        case CSJ_TRUE, CSJ_FALSE: .boolean
        case CSJ_NULL: .null
        default: .number
        }
    }

    /// The number of elements or members.
    var count: Int { csj_count(parser, at) }

    /// Calls a closure with each element of an array; its errors get the element's index.
    func forEachElement(_ body: (JSONValue) throws(BodyError) -> Void) throws(BodyError) {
        var next = csj_first(parser, at)
        var index = 0
        while csj_kind_of(parser, next) != CSJ_END {
            do throws(BodyError) {
                try body(JSONValue(parser: parser, at: next))
            } catch {
                throw error.inside(.index(index))
            }
            next = csj_next(parser, next)
            index += 1
        }
    }

    /// Calls a closure with each member of an object; its errors get the member's key.
    func forEachMember(_ body: (String, JSONValue) throws(BodyError) -> Void) throws(BodyError) {
        var next = csj_first(parser, at)
        while csj_kind_of(parser, next) != CSJ_END {
            let key = JSONValue(parser: parser, at: next).text
            next = csj_next(parser, next)
            do throws(BodyError) {
                try body(key, JSONValue(parser: parser, at: next))
            } catch {
                throw error.inside(.key(key))
            }
            next = csj_next(parser, next)
        }
    }

    /// The first element of an array.
    var firstElement: JSONValue? {
        let first = csj_first(parser, at)
        return csj_kind_of(parser, first) == CSJ_END ? nil : JSONValue(parser: parser, at: first)
    }

    /// A string's UTF-8 bytes, escapes resolved.
    var utf8: UnsafeBufferPointer<UInt8> {
        var length = 0
        let start = csj_string(parser, at, &length)
        return UnsafeBufferPointer(start: start, count: length)
    }

    /// A string's text.
    var text: String { String(decoding: utf8, as: UTF8.self) }

    /// Throws unless the value has one of the types.
    func require(_ types: SyntaxFault.JSONType...) throws(BodyError) {
        guard !types.contains(type) else { return }
        throw .invalidJSON(.wrongType(expected: types, found: type), at: BodyPlace())
    }

    /// A string's text, or an error for another type.
    func string() throws(BodyError) -> String {
        try require(.string)
        return text
    }

    /// An integer in a range, or an error.
    func integer(in range: ClosedRange<Int64>) throws(BodyError) -> Int64 {
        var value: Int64 = 0
        switch csj_int64(parser, at, range.lowerBound, range.upperBound, &value) {
        case CSJ_FINE: return value
        case CSJ_OUT_OF_RANGE:
            throw .invalidInput(
                .integerOutOfRange(lower: range.lowerBound, upper: range.upperBound),
                at: BodyPlace()
            )
        case CSJ_NOT_AN_INTEGER: throw .invalidInput(.notAnInteger, at: BodyPlace())
        default: throw .invalidJSON(.wrongType(expected: [.number], found: type), at: BodyPlace())
        }
    }

    /// The strings of an array of strings, or an error.
    func strings() throws(BodyError) -> [String] {
        try require(.array)
        var strings: [String] = []
        try forEachElement { (element) throws(BodyError) in strings.append(try element.string()) }
        return strings
    }
}
