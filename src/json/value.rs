use serde::{
    Deserializer,
    de::{Visitor, value::BorrowedStrDeserializer},
};

use super::scan::{Plain, Value};

type Json<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

impl<'de> Value<'de> {
    fn json<T>(
        self,
        read: impl FnOnce(&mut Json<'de>) -> Result<T, serde_json::Error>,
    ) -> Result<T, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(self.raw);
        let value = read(&mut json)?;
        // Its readers of 128 bits stop at a fraction.
        json.end()?;
        Ok(value)
    }
}

macro_rules! plainly {
    ($form:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match self.plain {
                Plain::$form(_) => self.deserialize_any(visitor),
                _ => self.json(|json| json.$method(visitor)),
            }
        }
    )*};
}

macro_rules! as_json {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.json(|json| json.$method(visitor))
        }
    )*};
}

/// Hands a value on to a type that deserializes: plain forms at once, all others through
/// `serde_json`, which is also asked whenever the type wants something out of the ordinary.
impl<'de> Deserializer<'de> for Value<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.plain {
            Plain::Text(text) => visitor.visit_borrowed_str(text),
            Plain::Natural(number) => visitor.visit_u64(number),
            Plain::No => self.json(|json| json.deserialize_any(visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.plain {
            Plain::No => self.json(|json| json.deserialize_option(visitor)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.plain {
            // `serde_json` knows newtypes of its own, such as `RawValue`.
            Plain::No => self.json(|json| json.deserialize_newtype_struct(name, visitor)),
            _ if name.starts_with('$') => {
                self.json(|json| json.deserialize_newtype_struct(name, visitor))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.plain {
            Plain::Text(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            _ => self.json(|json| json.deserialize_enum(name, variants, visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json(|json| json.deserialize_unit_struct(name, visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json(|json| json.deserialize_tuple(len, visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json(|json| json.deserialize_tuple_struct(name, len, visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json(|json| json.deserialize_struct(name, fields, visitor))
    }

    /// The scanner has validated the text, so there is nothing left to look at.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    plainly! { Text: deserialize_str deserialize_string deserialize_identifier }

    plainly! {
        Natural: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    }

    as_json! {
        deserialize_bool deserialize_u128 deserialize_i128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq
        deserialize_map
    }
}
