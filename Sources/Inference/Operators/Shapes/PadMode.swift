/// What the new elements are that ``Pad`` puts at the ends of an axis.
enum PadMode {
    /// One value.
    case constant
    /// The nearest element.
    case edge
    /// What is found by going back into the tensor, the element at the edge not repeated.
    case reflect
    /// What is found by going on at the other end.
    case wrap

    /// Where the element at a position comes from that may lie outside.
    ///
    /// - Parameters:
    ///   - position: Counted from the first element there is.
    ///   - length: How many elements there are; at least 1 unless the mode is constant.
    /// - Returns: An index in `0 ..< length`; nil if the element is the constant.
    func source(of position: Int, length: Int) -> Int? {
        if position >= 0 && position < length { return position }
        switch self {
        case .constant: return nil
        case .edge: return position < 0 ? 0 : length - 1
        case .wrap: return Self.modulo(position, length)
        case .reflect:
            guard length > 1 else { return 0 }
            let place = Self.modulo(position, 2 * (length - 1))
            return place < length ? place : 2 * (length - 1) - place
        }
    }

    private static func modulo(_ a: Int, _ b: Int) -> Int {
        let remainder = a % b
        return remainder < 0 ? remainder + b : remainder
    }

    /// Fills memory with copies of an element's bytes.
    static func repeatBytes(_ element: [UInt8], at place: UnsafeMutableRawPointer, byteCount: Int) {
        for index in 0..<byteCount {
            place.storeBytes(of: element[index % element.count], toByteOffset: index, as: UInt8.self)
        }
    }
}
