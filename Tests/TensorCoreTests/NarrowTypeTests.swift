import Testing

@testable import TensorCore

/// Floats of 8 and 4 bits, integers of 4 and 2.
struct NarrowTypeTests {
    private static let floats = ElementType.allCases.filter(\.isNarrowFloat)

    @Test(arguments: floats)
    func `every number has its own bits`(_ type: ElementType) throws {
        let format = try #require(NarrowFloat(type))
        for (code, value) in format.values.enumerated() where !value.isNaN {
            #expect(Int(format.bits(of: Double(value), saturates: false)) == code)
        }
    }

    @Test(arguments: floats.filter { $0 != .float8e8m0 })
    func `a number between two becomes the nearer, or the even one`(_ type: ElementType) throws {
        let format = try #require(NarrowFloat(type))
        let positive = format.values.prefix(format.values.count / 2).filter(\.isFinite)
        for (code, (low, high)) in zip(positive, positive.dropFirst()).enumerated() {
            let middle = (Double(low) + Double(high)) / 2
            #expect(Int(format.bits(of: middle.nextDown)) == code)
            #expect(Int(format.bits(of: middle.nextUp)) == code + 1)
            #expect(Int(format.bits(of: middle)) % 2 == 0)
        }
    }

    @Test func `formats end where they should`() throws {
        let largest: [(ElementType, Float)] = [
            (.float8e4m3fn, 448), (.float8e4m3fnuz, 240), (.float8e5m2, 57344), (.float8e5m2fnuz, 57344),
            (.float4e2m1, 6),
        ]
        for (type, value) in largest {
            let format = try #require(NarrowFloat(type))
            #expect(format.values.filter(\.isFinite).max() == value)
            #expect(format.values[Int(format.bits(of: 1e9))] == value)
            #expect(format.values[Int(format.bits(of: -.infinity))] == -value)
        }
        let wide = try #require(NarrowFloat(.float8e5m2))
        #expect(wide.values[Int(wide.bits(of: 1e9, saturates: false))] == .infinity)
        let plain = try #require(NarrowFloat(.float8e4m3fn))
        #expect(plain.values[Int(plain.bits(of: 1e9, saturates: false))].isNaN)
    }

    @Test func `powers of two are rounded as one asks`() throws {
        let format = try #require(NarrowFloat(.float8e8m0))
        #expect(format.bits(of: 3, rounding: .up) == 129)
        #expect(format.bits(of: 3, rounding: .down) == 128)
        #expect(format.bits(of: 2.9, rounding: .nearest) == 128)
        #expect(format.bits(of: 3, rounding: .nearest) == 129)
        #expect(format.bits(of: 0) == 0)
        #expect(format.bits(of: .nan) == 255)
        #expect(format.bits(of: .infinity) == 254)
    }

    @Test(arguments: [ElementType.int4, .uint4, .int2, .uint2])
    func `integers that share bytes in a file come back`(_ type: ElementType) throws {
        let range = try #require(type.narrowRange)
        for count in 0...9 {
            let values = (0..<count).map { Int8(range.lowerBound + $0 % range.count) }
            let tensor = try Tensor(values, shape: [count]).reinterpreted(as: type)
            let packed = tensor.packedBytes
            #expect(packed.count == type.packedByteCount(count))
            let back = try Tensor(packed: packed, elementType: type, shape: [count])
            #expect(back.reinterpreted(as: .int8).array(of: Int8.self) == values)
        }
    }

    @Test func `the first element has the low bits`() throws {
        let tensor = try Tensor([1, -2, 7] as [Int8], shape: [3]).reinterpreted(as: .int4)
        #expect(tensor.packedBytes == [0xe1, 0x07])
    }
}
