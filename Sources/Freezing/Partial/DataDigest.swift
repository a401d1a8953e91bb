internal import FoundationEssentials
internal import ONNXGraph
public import TensorCore

/// Which batches were seen, whatever their order and their split over runs: the sum of their SHA-256 digests, modulo 2^256.
///
/// A sum, not an exclusive or, so that a batch that is seen twice does not vanish.
public struct DataDigest: Sendable, Hashable {
    /// Lowest limb first.
    private var limbs: [UInt64] = [0, 0, 0, 0]

    /// The digest of no batch.
    public init() {}

    /// Adds one batch.
    ///
    /// - Parameter inputs: What the graph was given, by name.
    public mutating func add(_ inputs: [String: Tensor]) {
        var bytes = Data()
        for (name, tensor) in inputs.sorted(by: { $0.key < $1.key }) {
            let dimensions = tensor.shape.dimensions
            for text in [name, tensor.elementType.rawValue] {
                Self.append(text.utf8.count, to: &bytes)
                bytes.append(contentsOf: text.utf8)
            }
            Self.append(dimensions.count, to: &bytes)
            for length in dimensions { Self.append(length, to: &bytes) }
            tensor.withBytes { bytes.append(contentsOf: $0) }
        }
        let digest = Digest.sha256(bytes)
        let added = (0..<4).map { limb in
            digest[(24 - 8 * limb)..<(32 - 8 * limb)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        add(added)
    }

    /// Adds the batches of another digest.
    ///
    /// - Parameter other: The digest of other batches.
    public mutating func merge(_ other: DataDigest) { add(other.limbs) }

    private mutating func add(_ other: [UInt64]) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let (first, one) = limbs[index].addingReportingOverflow(other[index])
            let (second, two) = first.addingReportingOverflow(carry)
            limbs[index] = second
            carry = one || two ? 1 : 0
        }
    }

    private static func append(_ number: Int, to bytes: inout Data) {
        withUnsafeBytes(of: UInt64(number).littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension DataDigest: LosslessStringConvertible {
    /// 64 lower-case hexadecimal digits, the highest first.
    public var description: String {
        limbs.reversed().map { limb in
            let digits = String(limb, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// A digest from its digits; nil if they are not 64 hexadecimal ones.
    ///
    /// - Parameter description: What ``description`` gives.
    public init?(_ description: String) {
        let digits = Array(description.utf8)
        guard digits.count == 64, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            return nil
        }
        for limb in 0..<4 {
            let part = String(decoding: digits[(48 - 16 * limb)..<(64 - 16 * limb)], as: UTF8.self)
            guard let value = UInt64(part, radix: 16) else { return nil }
            limbs[limb] = value
        }
    }
}
