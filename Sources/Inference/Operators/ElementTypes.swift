import TensorCore

/// The element types of the values that an operator computes with; indices, sizes and flags have types of their own.
///
/// ```swift
/// Entry("Range", since: 11, takes: .floats + [.int32, .int64]) { ... }
/// ```
struct ElementTypes: Equatable, Sendable, ExpressibleByArrayLiteral {
    private(set) var numbers: Set<ElementType>
    /// Whether strings are taken, too.
    private(set) var hasStrings: Bool

    init(arrayLiteral types: ElementType...) { self.init(Set(types)) }

    init(_ numbers: Set<ElementType>, strings: Bool = false) {
        self.numbers = numbers
        hasStrings = strings
    }

    static let floats: ElementTypes = [.float16, .bfloat16, .float32, .float64]
    static let signedIntegers: ElementTypes = [.int8, .int16, .int32, .int64]
    static let unsignedIntegers: ElementTypes = [.uint8, .uint16, .uint32, .uint64]
    static let integers = signedIntegers + unsignedIntegers
    /// Floats and integers with a sign.
    static let signed = floats + signedIntegers
    /// What has an order and a sum.
    static let numbers = floats + integers
    /// Numbers of 8, 4 and 2 bits that are stored, not computed with.
    static let narrow = ElementTypes(Set(ElementType.allCases.filter(\.isNarrow)))
    /// Numbers and bool.
    static let wide = numbers + [.bool]
    /// Every type that a tensor can have.
    static let all = ElementTypes(Set(ElementType.allCases))
    static let strings = ElementTypes([], strings: true)
    static let everything = all + strings

    static func + (a: ElementTypes, b: ElementTypes) -> ElementTypes {
        ElementTypes(a.numbers.union(b.numbers), strings: a.hasStrings || b.hasStrings)
    }
}

extension ElementTypes: CustomStringConvertible {
    /// The kinds of types, then the types that are left.
    var description: String {
        var left = numbers
        var words: [String] = []
        let kinds: [(String, ElementTypes)] = [
            ("all", .all), ("floats", .floats), ("integers", .integers),
            ("signed integers", .signedIntegers), ("narrow types", .narrow),
        ]
        for (word, kind) in kinds where left.isSuperset(of: kind.numbers) {
            words.append(word)
            left.subtract(kind.numbers)
        }
        words += ElementType.allCases.filter(left.contains).map(\.rawValue)
        if hasStrings { words.append("strings") }
        return words.joined(separator: ", ")
    }
}
